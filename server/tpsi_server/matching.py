"""Matching: the loop that turns waiting vouchers into matches, and pools into reveals, beside the RPC path."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass

from tpsi.voucher import MAX_SIZE_CLASS, voucher_size
from tpsi_server.checking import Checker, Checking
from tpsi_server.crew import Crew, Failure
from tpsi_server.errors import KeyFileError, RefusedError, StoreError
from tpsi_server.jobs import Checked, Examined, ExamineJob, Job, MatchJob, Result, Unread
from tpsi_server.keys import KeyRing
from tpsi_server.store import Claim, Store, Taken
from tpsi_server.tables import Epoch, TableRepository
from tpsi_server.transparency import GATHER

#: Vouchers of one claim, and octets that they may have: some tens of milliseconds of work.
BATCH, BATCH_OCTETS = 256, 32 << 20
#: Seconds after which a claim is somebody else's; the work takes a fraction of it.
MATCH_LEASE, EXAMINE_LEASE = 60.0, 300.0
#: Seconds between two looks for work.
IDLE = 0.2
#: Seconds until an epoch whose key cannot be had is tried again.
KEY_RETRY = 30.0
#: Seconds between two times that what was deleted is swept out, when nothing else is to do.
SWEEP_EVERY = 5.0
#: Times that it is tried before a matcher ends, half a second each.
SWEEPS = 10
#: Seconds between two looks for what is past its period, and for what the log has to commit to.
FORGET_EVERY, COMMIT_EVERY = 3600.0, 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a matcher has done: vouchers that matched, did not, or failed; examinations; vouchers revealed."""

    matched: int = 0
    unmatched: int = 0
    failed: int = 0
    examined: int = 0
    revealed: int = 0

    def plus(self, **counts: int) -> "Tally":
        """The tally with some counts raised."""
        return Tally(**{name: getattr(self, name) + counts.get(name, 0) for name in self.__slots__})

    @property
    def vouchers(self) -> int:
        """How many vouchers were dealt with."""
        return self.matched + self.unmatched + self.failed


_Work = Claim | Taken | Checking


class Matcher:
    """Claims work, gives it to a crew, and records the results. For one thread at a time."""

    def __init__(
        self,
        store: Store,
        tables: TableRepository,
        keys: KeyRing,
        crew: Crew,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._tables = tables
        self._keys = keys
        self._crew = crew
        self._clock = clock
        self._last: int | None = None  # the last voucher that a drain takes, while there is one
        self._examine_next = False
        self._ready: deque[tuple[_Work, Job]] = deque()
        self._running: list[_Work] = []
        self._locked: dict[int, float] = {}
        self._forget_at = self._commit_at = 0.0
        self._swept, self._sweep_at = False, 0.0
        self._checker = Checker(store, clock)
        self.tally = Tally()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, whatever happens; then give back what is not finished."""
        while not stop.is_set():
            try:
                self._forget()
                self._commit()
                if not self.step(IDLE):
                    self._sweep()
                    stop.wait(IDLE)
            except StoreError as error:
                _log.error("matching waits for the store: %s", error)
                stop.wait(1.0)
            except Exception:
                _log.exception("matching goes on after an error")
                stop.wait(1.0)
        self.close()

    def _forget(self) -> None:
        """Now and then forget what is past its period."""
        if self._clock() < self._forget_at:
            return
        self._forget_at = self._clock() + FORGET_EVERY
        forgotten = self._store.retention.apply(self._clock())
        if any(astuple(forgotten)):
            _log.info("past their periods: %d ids, %d shares, %d reveals, %d set aside", *astuple(forgotten))

    def _sweep(self) -> None:
        """Payloads and cells that are deleted shall not lie about in the database's log until it is used again."""
        if not self._swept and time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_EVERY
            self._swept = self._store.sweep()

    def _sweep_out(self) -> None:
        """Sweep, or say that it could not be done: others read all the time."""
        for _ in range(SWEEPS):
            if self._store.sweep():
                return
        _log.warning("what was deleted lies in the database's log for now: others read it all the time")

    def _commit(self) -> None:
        """Now and then commit in the log to what was revealed."""
        if self._clock() >= self._commit_at:
            self._commit_at = self._clock() + COMMIT_EVERY
            self._store.log.commit(self._clock() - GATHER)

    def drain(self, report: Callable[[Tally], None] = lambda _tally: None) -> Tally:
        """Work until nothing is left of what waits now; then every pool that has changed is examined.

        What comes in meanwhile waits for the next time: or a device that goes on sending would have no end of it. What
        is past its period is forgotten first.
        """
        self._forget()
        self._last = self._store.vouchers.last()
        try:
            while self.step(IDLE):
                report(self.tally)
        finally:
            self._last = None
        self._store.log.commit()
        self._sweep_out()
        return self.tally

    def step(self, timeout: float) -> bool:
        """One round: claim, start, record. False if there was nothing to do."""
        while len(self._ready) < self._crew.size and (work := self._next()) is not None:
            self._ready.append(work)
        self._start()
        if not self._running:
            return False
        finished = self._crew.finished(timeout)
        for work, _ in finished:
            self._running.remove(work)
        self._start()  # so that nobody idles while results are written down
        for work, result in finished:
            self._record(work, result)
        return True

    def close(self) -> None:
        """Stop the crew and give back what is claimed; another matcher may take it at once."""
        self._crew.close()
        claimed = [*self._running, *(work for work, _ in self._ready)]
        self._running.clear()
        self._ready.clear()
        for work in claimed:
            try:
                self._release(work)
            except StoreError as error:
                _log.warning("claimed work was not given back, it waits for the end of its lease: %s", error)

    def _start(self) -> None:
        while self._ready and self._crew.free():
            work, job = self._ready.popleft()
            self._running.append(work)
            self._crew.start(work, job)

    def _next(self) -> tuple[_Work, Job] | None:
        """The next work to do: in turn matching and examining, if there is both; in a drain, one after the other."""
        if self._last is not None:
            matching = any(isinstance(work, Claim) for work in (*self._running, *(work for work, _ in self._ready)))
            return self._claim() or (None if matching else self._due()) or self._checker.next()
        self._examine_next = not self._examine_next
        first, second = (self._due, self._claim) if self._examine_next else (self._claim, self._due)
        return first() or second() or self._checker.next()

    def _due(self) -> tuple[_Work, Job] | None:
        taken = self._store.pools.take(EXAMINE_LEASE, self._clock(), patient=self._last is None)
        if taken is None:
            return None
        try:
            data_keys = {number: self._keys.data_key(number).reveal() for number in self._store.data_keys.numbers()}
        except KeyFileError:
            self._store.pools.release(taken.token)
            raise
        return taken, ExamineJob(taken, self._store.location, data_keys)

    def _claim(self) -> tuple[_Work, Job] | None:
        for number in self._store.matches.epochs():
            epoch = self._epoch(number)
            if epoch is None:
                continue
            manifest, table_secrets = epoch.manifest, self._keys.epoch(epoch.manifest)
            limit = max(1, min(BATCH, BATCH_OCTETS // voucher_size(manifest, MAX_SIZE_CLASS)))
            claim = self._store.matches.claim(number, limit, MATCH_LEASE, self._clock(), last=self._last)
            if claim is not None:
                return claim, MatchJob.of(claim, manifest, table_secrets)
        return None

    def _epoch(self, number: int) -> Epoch | None:
        """An epoch whose key can be had; None, and a line in the log, if it cannot."""
        if self._clock() < self._locked.get(number, 0.0):
            return None
        try:
            epoch = self._tables.by_number(number)
            self._keys.epoch(epoch.manifest)
        except (KeyFileError, RefusedError, OSError) as error:
            _log.error("vouchers of epoch %d wait, they cannot be matched: %s", number, error)
            self._locked[number] = self._clock() + KEY_RETRY
            return None
        return epoch

    def _record(self, work: _Work, result: Result | Failure) -> None:
        self._swept = False
        if isinstance(work, Claim):
            self._record_matches(work, result)
        elif isinstance(work, Taken):
            self._record_examination(work, result)
        elif isinstance(result, Checked | Failure):
            self._checker.record(work, result)
        else:
            raise TypeError("pictures were answered with something else")

    def _record_matches(self, claim: Claim, result: Result | Failure) -> None:
        if isinstance(result, Failure):
            _log.error("the matching of %d vouchers is tried again: %s", len(claim.vouchers), result.reason)
            give_back = self._store.matches.lapse if result.begun else self._store.matches.release
            give_back(claim.token)
            return
        if not isinstance(result, list):
            raise TypeError("a claim was answered with something else")
        done = self._store.matches.record(claim, result, self._clock())
        self.tally = self.tally.plus(
            matched=done.matched, unmatched=done.unmatched, failed=done.failed, revealed=done.revealed
        )
        if done.failed:
            _log.warning("%d vouchers cannot be matched and were set aside", done.failed)

    def _record_examination(self, taken: Taken, result: Result | Failure) -> None:
        if isinstance(result, Failure):
            _log.error("the examination of pool %d came to nothing: %s", taken.id, result.reason)
            if result.begun:
                self._store.pools.give_up(taken, self._clock())
            else:
                self._store.pools.release(taken.token)
            return
        if isinstance(result, Unread):
            if not result.damaged:
                self._store.pools.release(taken.token)
                raise StoreError(result.reason)
            self._store.pools.set_aside(taken, result.reason, self._clock())
            return
        if not isinstance(result, Examined):
            raise TypeError("a pool was answered with matches")
        revealed = self._store.pools.record(taken, result.found, result.took, self._clock())
        self.tally = self.tally.plus(examined=1, revealed=revealed)
        if revealed:
            _log.info("an account went over its threshold: see `tpsi-server account list`")

    def _release(self, work: _Work) -> None:
        if isinstance(work, Claim):
            self._store.matches.release(work.token)
        elif isinstance(work, Taken):
            self._store.pools.release(work.token)
        else:
            self._checker.release(work)


class MatchingThread:
    """A matcher at work in the background."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._stop = threading.Event()
        self._thread = threading.Thread(target=matcher.run, args=(self._stop,), name="tpsi-matching")
        self._thread.start()

    @property
    def tally(self) -> Tally:
        """What it has done until now."""
        return self._matcher.tally

    def stop(self) -> None:
        """Stop within a second, and wait for that."""
        self._stop.set()
        self._thread.join()
