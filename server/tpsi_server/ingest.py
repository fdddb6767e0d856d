"""Ingest: vouchers in, durable when it returns, whatever carried them here."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tpsi import DecodeError, Header
from tpsi.manifest import MANIFEST_ID_SIZE
from tpsi.voucher import decode_header
from tpsi_server.errors import RefusedError
from tpsi_server.fair_queue import FairQueue
from tpsi_server.reasons import Reason
from tpsi_server.store import Answer, Delivery, Exceeded, Incoming, Store
from tpsi_server.tables import TableRepository

#: Vouchers in one call: the wire contract's bound on a batch.
MAX_BATCH = 1024
#: Vouchers and octets that share a transaction: enough to make the disk's part small, and no long wait.
GROUP_VOUCHERS, GROUP_OCTETS = 8192, 8 << 20
#: Octets that may wait to be stored; more than a transaction, so that the next one is there when it is done.
MAX_WAITING_OCTETS = 128 << 20
#: Where a voucher's header has it (specification, section 7.1), after the version.
_MANIFEST_ID = slice(1, 1 + MANIFEST_ID_SIZE)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one voucher: stored if `reason` is None. `already`: it had been stored before."""

    reason: Reason | None = None
    already: bool = False

    @property
    def stored(self) -> bool:
        """Whether the voucher is durable, by this call or an earlier one."""
        return self.reason is None


_OUTCOMES = {
    Answer.NEW: Outcome(),
    Answer.ALREADY: Outcome(already=True),
    Answer.OTHER: Outcome(Reason.VOUCHER_ID_REUSED),
    Answer.NOT_TAKEN: Outcome(Reason.VOUCHER_WRONG_EPOCH),
}


@dataclass(frozen=True, slots=True)
class _Job:
    """One call: for every voucher the reason why it is refused at once, or None; and the others."""

    refused: tuple[Reason | None, ...]
    delivery: Delivery
    future: Future[list[Outcome]]

    @property
    def octets(self) -> int:
        return sum(len(voucher.payload) for voucher in self.delivery.vouchers)


class Ingest:
    """Takes vouchers of any transport. Thread-safe; concurrent calls share transactions."""

    def __init__(self, store: Store, tables: TableRepository, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._tables = tables
        self._clock = clock
        self._jobs: FairQueue[_Job] = FairQueue(MAX_WAITING_OCTETS)
        self._closing = threading.Lock()
        self._closed = False
        #: Whether the last thing that the store did was to fail.
        self.failing = False
        self._writer = threading.Thread(target=self._write, name="tpsi-ingest", daemon=True)
        self._writer.start()

    def ingest(self, account: str, vouchers: Sequence[bytes]) -> list[Outcome]:
        """One outcome for each voucher, in order; those that are stored are durable when this returns.

        A voucher that was stored before with the same octets counts as stored; a bad one stops no other.
        Raises RefusedError (ACCOUNT_UNKNOWN, BATCH_EMPTY, BATCH_TOO_LARGE, QUOTA_EXCEEDED, OVERLOADED,
        SHUTTING_DOWN) and StoreError: then nothing of the call was stored.
        """
        return self.submit(account, vouchers).result()

    def submit(self, account: str, vouchers: Sequence[bytes]) -> Future[list[Outcome]]:
        """`ingest` without waiting for the disk: for callers that must not block (`asyncio.wrap_future`).

        Calls of a wrong size, those for which there is no room, those after `close`, and those that name an unknown
        epoch while the store fails raise at once; everything else is the future's.
        """
        if not vouchers:
            raise RefusedError(Reason.BATCH_EMPTY, "a batch has at least one voucher")
        if len(vouchers) > MAX_BATCH:
            message = f"a batch has at most {MAX_BATCH} vouchers, not {len(vouchers)}"
            raise RefusedError(Reason.BATCH_TOO_LARGE, message)
        judged = self._judged(vouchers)
        refused = tuple(one if isinstance(one, Reason) else None for one in judged)
        delivery = Delivery(account, [one for one in judged if isinstance(one, Incoming)])
        job = _Job(refused, delivery, Future())
        with self._closing:
            if self._closed:
                raise RefusedError(Reason.SHUTTING_DOWN, "the server is shutting down: try again later")
            if not self._jobs.put(account, job.octets, job):
                raise RefusedError(Reason.OVERLOADED, "too much waits to be stored")
        return job.future

    @property
    def waiting(self) -> int:
        """How many calls wait to be stored."""
        return len(self._jobs)

    def close(self) -> None:
        """Store what was submitted, and refuse what comes later; closing again does nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.close()
        self._writer.join()

    def _judged(self, vouchers: Sequence[bytes]) -> list[Incoming | Reason]:
        """Decode vouchers. For epochs that are unknown here it looks once: another replica may just have built them.

        RefusedError TABLE_NOT_HERE if the files of such a one are not here yet.
        """
        judged = [self._judge(data) for data in vouchers]
        if Reason.VOUCHER_WRONG_EPOCH in judged:
            self._tables.catch_up()
            pairs = zip(vouchers, judged, strict=True)
            judged = [self._judge(data) if one is Reason.VOUCHER_WRONG_EPOCH else one for data, one in pairs]
        return judged

    def _judge(self, data: bytes) -> Incoming | Reason:
        """Decode a voucher for the epoch that it names."""
        epoch = self._tables.by_manifest_id(data[_MANIFEST_ID])
        try:
            if epoch is None:
                Header.decode(data)
                return Reason.VOUCHER_WRONG_EPOCH
            header = decode_header(data, epoch.manifest)
        except DecodeError:
            return Reason.VOUCHER_MALFORMED
        digest = hashlib.sha256(data).digest()
        return Incoming(header.voucher_id, digest, header.generation, epoch.number, data)

    def _write(self) -> None:
        """The writer's thread: what waits is stored together, and while it is, the next comes together."""
        while (job := self._jobs.get()) is not None:
            self._store_group([one for one in self._group(job) if one.future.set_running_or_notify_cancel()])

    def _group(self, job: _Job) -> list[_Job]:
        """The jobs of one transaction."""
        jobs, vouchers, octets = [job], len(job.delivery.vouchers), job.octets
        while vouchers < GROUP_VOUCHERS and octets < GROUP_OCTETS:
            another = self._jobs.get_nowait()
            if another is None:
                break
            jobs.append(another)
            vouchers += len(another.delivery.vouchers)
            octets += another.octets
        return jobs

    def _store_group(self, jobs: Sequence[_Job]) -> None:
        try:
            answers = self._store.vouchers.store([job.delivery for job in jobs], self._clock())
        except BaseException as error:  # whatever it is, it is the callers' to know
            self.failing = True
            _log.error("vouchers of %d calls could not be stored: %s", len(jobs), error)
            for job in jobs:
                job.future.set_exception(error)
            return
        self.failing = False
        for job, answer in zip(jobs, answers, strict=True):
            if answer is None:
                message = f"there is no account {job.delivery.account!r}, or it was revoked"
                job.future.set_exception(RefusedError(Reason.ACCOUNT_UNKNOWN, message))
            elif isinstance(answer, Exceeded):
                message = f"account {job.delivery.account!r} has used up its quota"
                refusal = RefusedError(Reason.QUOTA_EXCEEDED, message, retry_after=answer.retry_after)
                job.future.set_exception(refusal)
            else:
                job.future.set_result(list(_outcomes(job.refused, iter(answer))))


def _outcomes(refused: Sequence[Reason | None], answers: Iterator[Answer]) -> Iterator[Outcome]:
    """The outcomes of a call, from the reasons of the refused ones and the store's answers for the others."""
    for reason in refused:
        yield _OUTCOMES[next(answers)] if reason is None else Outcome(reason)
