"""The voucher service: batches in, acknowledgements out once they are durable.

Whether anything matches is found out elsewhere and later; nothing here depends on it.
"""

# ruff: noqa: N802 (the calls have the names of the contract)

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import VoucherServiceServicer
from tpsi_server.errors import RefusedError
from tpsi_server.ingest import Ingest, Outcome
from tpsi_server.reasons import Reason
from tpsi_server.service.auth import CALLER, Caller
from tpsi_server.service.drain import Drain
from tpsi_server.service.limits import BATCHES_IN_FLIGHT, MAX_BATCH_BYTES
from tpsi_server.service.status import Context


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch that is on its way to the disk."""

    sequence: int
    outcomes: asyncio.Future[list[Outcome]]


class VoucherServicer(VoucherServiceServicer):
    """Hands batches to ingest and tells what became of them."""

    def __init__(self, ingest: Ingest, list_name: str, drain: Drain) -> None:
        self._ingest = ingest
        self._list_name = list_name
        self._drain = drain

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.WhoAmIResponse:
        """The caller's account."""
        return pb.WhoAmIResponse(account=CALLER.get().account, list_name=self._list_name)

    async def Upload(self, requests: AsyncIterator[pb.UploadBatch], context: Context) -> AsyncIterator[pb.BatchAck]:
        """One acknowledgement for each batch, in order.

        What ends the upload, be it a refusal, comes after the acknowledgements of the batches before it.
        """
        taken: asyncio.Queue[_Taken | Exception | None] = asyncio.Queue(BATCHES_IN_FLIGHT - 2)
        reader = asyncio.create_task(self._take_all(CALLER.get(), requests, taken))
        try:
            while (batch := await taken.get()) is not None:
                if isinstance(batch, Exception):
                    raise batch
                # Shielded: a peer that goes away must not take back what others are stored with.
                yield acknowledgement(batch.sequence, await asyncio.shield(batch.outcomes))
        finally:
            reader.cancel()

    async def _take_all(
        self,
        caller: Caller,
        requests: AsyncIterator[pb.UploadBatch],
        taken: asyncio.Queue[_Taken | Exception | None],
    ) -> None:
        """Read batches for as long as there is room for them; then put None, or the error that ended it."""
        try:
            async for batch in self._drain.until_begun(requests):
                outcomes = asyncio.wrap_future(await asyncio.to_thread(self._submit, caller, list(batch.vouchers)))
                outcomes.add_done_callback(_looked_at)
                await taken.put(_Taken(batch.sequence, outcomes))
        except Exception as error:  # it is raised where the acknowledgements are sent
            await taken.put(error)
        else:
            await taken.put(None)

    def _submit(self, caller: Caller, vouchers: Sequence[bytes]) -> Future[list[Outcome]]:
        """Hand a batch over, in a thread: decoding takes a while. A token may have been revoked since the last one."""
        caller.check_again()
        if sum(map(len, vouchers)) > MAX_BATCH_BYTES:
            raise RefusedError(Reason.BATCH_TOO_LARGE, f"the batch has more than {MAX_BATCH_BYTES} octets")
        return self._ingest.submit(caller.account, vouchers)


def acknowledgement(sequence: int, outcomes: Sequence[Outcome]) -> pb.BatchAck:
    """What a device is told of one batch."""
    refused = [
        pb.Refusal(index=index, reason=outcome.reason.value)
        for index, outcome in enumerate(outcomes)
        if outcome.reason is not None
    ]
    return pb.BatchAck(sequence=sequence, stored=sum(outcome.stored for outcome in outcomes), refused=refused)


def _looked_at(outcomes: asyncio.Future[list[Outcome]]) -> None:
    """Nobody may be there any more who would look at an error."""
    if not outcomes.cancelled():
        outcomes.exception()
