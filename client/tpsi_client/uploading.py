"""Uploading: queued vouchers in batches, each settled when the server has acknowledged it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from tpsi_client.errors import ServiceError
from tpsi_client.fetching import Progress
from tpsi_client.service import Retry, Service
from tpsi_client.state import Queued, State
from tpsi_proto import tpsi_pb2 as pb

#: The contract allows 1024 vouchers in a batch; the octets keep a batch below the 4 MiB that gRPC servers take
#: unless told otherwise, even if one voucher of the largest size class comes on top.
MAX_BATCH, MAX_BATCH_OCTETS = 256, 1_000_000
#: Batches on their way at a time: enough to hide the way there and back.
WINDOW = 4

#: The server's own trouble: these vouchers stay queued.
_PASSING = frozenset({pb.STORE_UNAVAILABLE, pb.SHUTTING_DOWN, pb.INTERNAL_ERROR})


@dataclass(frozen=True, slots=True)
class UploadReport:
    """`acknowledged` vouchers are durable at the server; `refused` ones, by its reasons, are kept aside here."""

    acknowledged: int
    refused: dict[str, int]


@dataclass
class _Tally:
    acknowledged: int = 0
    refused: dict[str, int] = field(default_factory=dict)


async def upload(service: Service, state: State, retry: Retry, progress: Progress) -> UploadReport:
    """Send all that is queued. A voucher leaves the queue only when the server says that it is durable.

    What is not acknowledged because a connection broke is sent again, as the same octets: the server takes a
    voucher that it has already as if it were new. Raises ServiceError when patience is over.
    """
    tally = _Tally()
    total = state.outbox.counts().queued
    while True:
        try:
            if not await _session(service, state, retry, tally, lambda done: progress("uploading", done, total)):
                return UploadReport(tally.acknowledged, tally.refused)
        except ServiceError as error:
            await retry.after(error)


async def _session(
    service: Service, state: State, retry: Retry, tally: _Tally, progress: Callable[[int], None]
) -> bool:
    """One connection: send everything once, settle what is acknowledged; whether there was anything to send."""
    session = _Session(state)
    if not await session.prepare():
        return False
    async with aclosing(service.upload(session.batches())) as acks:
        async for ack in acks:
            outcome = session.read(ack)
            await asyncio.to_thread(state.outbox.settle, outcome.acknowledged, outcome.refused)
            session.settled()
            tally.acknowledged += len(outcome.acknowledged)
            for reason in outcome.refused.values():
                tally.refused[reason] = tally.refused.get(reason, 0) + 1
            if outcome.acknowledged or outcome.refused:
                retry.progressed()
            progress(tally.acknowledged + sum(tally.refused.values()))
    session.finish()
    return True


@dataclass(frozen=True, slots=True)
class _Outcome:
    acknowledged: Sequence[bytes]
    refused: Mapping[bytes, str]


class _Session:
    """What is on its way over one connection: at most WINDOW batches, each by its number."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._after = b""
        self._ahead: list[Queued] = []
        self._flying: dict[int, Sequence[Queued]] = {}
        self._window = asyncio.Semaphore(WINDOW)
        self._postponed = 0

    async def prepare(self) -> bool:
        """Read ahead; whether anything is queued."""
        if not self._ahead:
            self._ahead = await asyncio.to_thread(self._state.outbox.queued, self._after, MAX_BATCH)
            self._after = self._ahead[-1].voucher_id if self._ahead else self._after
        return bool(self._ahead)

    async def batches(self) -> AsyncIterator[pb.UploadBatch]:
        """All that is queued, in the outbox's (random) order, never more than WINDOW batches ahead of the server."""
        number = 0
        while await self.prepare():
            await self._window.acquire()
            batch = _take(self._ahead)
            number += 1
            self._flying[number] = batch
            yield pb.UploadBatch(sequence=number, vouchers=[queued.data for queued in batch])

    def read(self, ack: pb.BatchAck) -> _Outcome:
        """What an acknowledgement says. Raises ServiceError if it does not fit what was sent."""
        batch = self._flying.pop(ack.sequence, None)
        refused = {refusal.index: refusal.reason for refusal in ack.refused}
        if (
            batch is None
            or len(refused) != len(ack.refused)
            or any(index >= len(batch) for index in refused)
            or ack.stored + len(refused) != len(batch)
        ):
            raise ServiceError("the server acknowledges something else than was sent; tell the operator")
        self._postponed += sum(reason in _PASSING for reason in refused.values())
        return _Outcome(
            [queued.voucher_id for index, queued in enumerate(batch) if index not in refused],
            {batch[index].voucher_id: _name(reason) for index, reason in refused.items() if reason not in _PASSING},
        )

    def settled(self) -> None:
        """Make room for another batch."""
        self._window.release()

    def finish(self) -> None:
        """Raise ServiceError if the server ended the call with something left over."""
        if self._flying:
            raise ServiceError("the server ended the upload before acknowledging all of it", passing=True)
        if self._postponed:
            raise ServiceError(f"the server could not store {self._postponed} vouchers; try again later", passing=True)


def _take(ahead: list[Queued]) -> Sequence[Queued]:
    """Move one batch off the front."""
    octets, count = 0, 0
    for queued in ahead:
        octets += len(queued.data)
        if count and octets > MAX_BATCH_OCTETS:
            break
        count += 1
    batch = ahead[:count]
    del ahead[:count]
    return batch


def _name(reason: int) -> str:
    """The name of a reason; of one that a newer server has, its number."""
    try:
        return pb.Reason.Name(reason)
    except ValueError:
        return f"REASON_{reason}"
