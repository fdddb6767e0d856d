"""The voucher service: batches in, acknowledgements out once they are durable.

Whether anything matches is found out elsewhere and later; nothing here depends on it.
"""

# ruff: noqa: N802 (the calls have the names of the contract)

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import VoucherServiceServicer
from tpsi_server.errors import RefusedError
from tpsi_server.ingest import MAX_BATCH, Ingest, Outcome
from tpsi_server.reasons import Reason
from tpsi_server.service import limits
from tpsi_server.service.auth import CALLER, Caller
from tpsi_server.service.drain import Drain
from tpsi_server.service.limits import BATCHES_IN_FLIGHT, MAX_BATCH_BYTES
from tpsi_server.service.metrics import Metrics
from tpsi_server.service.overload import Budget, Pace, Turnstile
from tpsi_server.service.status import Context
from tpsi_server.store import Allowance, Store


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch that is on its way to the disk."""

    sequence: int
    arrived: float
    outcomes: asyncio.Future[list[Outcome]]


class VoucherServicer(VoucherServiceServicer):
    """Hands batches to ingest and tells what became of them."""

    def __init__(
        self, ingest: Ingest, store: Store, list_name: str, drain: Drain, metrics: Metrics, *, answer_after: float
    ) -> None:
        self._ingest = ingest
        self._store = store
        self._list_name = list_name
        self._drain = drain
        self._metrics = metrics
        self._answer_after = answer_after
        self.uploads = Turnstile(limits.UPLOADS_AN_ACCOUNT)
        self._pace = Pace(limits.AHEAD, limits.PATIENCE)
        self.budget = Budget(limits.HELD_OCTETS, limits.WAITING_OCTETS)

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.WhoAmIResponse:
        """The caller's account."""
        return pb.WhoAmIResponse(account=CALLER.get().account, list_name=self._list_name)

    async def Upload(self, requests: AsyncIterator[pb.UploadBatch], context: Context) -> AsyncIterator[pb.BatchAck]:
        """One acknowledgement for each batch, in order.

        What ends the upload, be it a refusal, comes after the acknowledgements of the batches before it.
        """
        caller = CALLER.get()
        taken: asyncio.Queue[_Taken | Exception | None] = asyncio.Queue(BATCHES_IN_FLIGHT - 2)
        with self.uploads.passing(caller.account):
            reader = asyncio.create_task(self._take_all(caller, requests, taken))
            try:
                while (batch := await taken.get()) is not None:
                    if isinstance(batch, Exception):
                        raise batch
                    # Shielded: a peer that goes away must not take back what others are stored with.
                    outcomes = await asyncio.shield(batch.outcomes)
                    waited = time.monotonic() - batch.arrived
                    self._metrics.acknowledged(outcomes, waited)
                    # What the store does besides, such as writing down matches, is not to show in the time.
                    await asyncio.sleep(max(0.0, self._answer_after - waited))
                    yield acknowledgement(batch.sequence, outcomes)
            finally:
                reader.cancel()

    async def _take_all(
        self,
        caller: Caller,
        requests: AsyncIterator[pb.UploadBatch],
        taken: asyncio.Queue[_Taken | Exception | None],
    ) -> None:
        """Read batches for as long as there is room for them; then put None, or the error that ended it."""
        last: list[asyncio.Future[list[Outcome]]] = []
        try:
            rate = (await asyncio.to_thread(self._allowance, caller.account)).vouchers_a_second
            async for batch in self._drain.until_begun(_prompt(requests, lambda: all(one.done() for one in last))):
                arrived = time.monotonic()
                _check_size(batch)
                await asyncio.sleep(self._pace.wait(caller.account, len(batch.vouchers), rate))
                last[:] = [await self._hand_over(caller, batch)]
                await taken.put(_Taken(batch.sequence, arrived, *last))
                del batch  # not to be kept until the next one is there
        except Exception as error:  # it is raised where the acknowledgements are sent
            await taken.put(error)
        else:
            await taken.put(None)

    def _allowance(self, account: str) -> Allowance:
        return self._store.quotas.allowance(account, self._store.vouchers.allowance)

    async def _hand_over(self, caller: Caller, batch: pb.UploadBatch) -> asyncio.Future[list[Outcome]]:
        """Give a batch to ingest when there is room for it; what becomes of it."""
        octets = batch.ByteSize()
        await self.budget.take(caller.account, octets)
        try:
            outcomes = asyncio.wrap_future(await asyncio.to_thread(self._submit, caller, list(batch.vouchers)))
        except BaseException:
            self.budget.give_back(caller.account, octets)
            raise
        outcomes.add_done_callback(lambda done: self._stored(done, caller.account, octets))
        return outcomes

    def _stored(self, outcomes: asyncio.Future[list[Outcome]], account: str, octets: int) -> None:
        self.budget.give_back(account, octets)
        if not outcomes.cancelled():
            outcomes.exception()  # nobody may be there any more who would look at it

    def _submit(self, caller: Caller, vouchers: Sequence[bytes]) -> Future[list[Outcome]]:
        """Hand a batch over, in a thread: decoding takes a while. A token may have been revoked since the last one."""
        caller.check_again()
        return self._ingest.submit(caller.account, vouchers)


def acknowledgement(sequence: int, outcomes: Sequence[Outcome]) -> pb.BatchAck:
    """What a device is told of one batch."""
    refused = [
        pb.Refusal(index=index, reason=outcome.reason.value)
        for index, outcome in enumerate(outcomes)
        if outcome.reason is not None
    ]
    return pb.BatchAck(sequence=sequence, stored=sum(outcome.stored for outcome in outcomes), refused=refused)


def _check_size(batch: pb.UploadBatch) -> None:
    """RefusedError for a batch of too many vouchers, counted before anything is made of them, or octets."""
    if len(batch.vouchers) > MAX_BATCH:
        raise RefusedError(Reason.BATCH_TOO_LARGE, f"the batch has more than {MAX_BATCH} vouchers")
    if sum(map(len, batch.vouchers)) > MAX_BATCH_BYTES:
        raise RefusedError(Reason.BATCH_TOO_LARGE, f"the batch has more than {MAX_BATCH_BYTES} octets")


async def _prompt(
    messages: AsyncIterator[pb.UploadBatch], peers_turn: Callable[[], bool]
) -> AsyncIterator[pb.UploadBatch]:
    """The messages of a peer; RefusedError if none comes for long although it is the peer's turn."""
    while True:
        reading = asyncio.ensure_future(anext(messages, None))
        try:
            while not (await asyncio.wait((reading,), timeout=limits.STALLED))[0]:
                if peers_turn():
                    raise RefusedError(Reason.CALL_STALLED, "the peer sends nothing")
            message = reading.result()
        finally:
            reading.cancel()
        if message is None:
            return
        yield message
