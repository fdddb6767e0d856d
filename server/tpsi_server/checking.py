"""Checking what was revealed by its second hash: what to claim next, and what to write down."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from tpsi import DecodeError, Photograph
from tpsi_server.companions import Check, Companions
from tpsi_server.crew import Failure
from tpsi_server.errors import KeyFileError
from tpsi_server.jobs import Checked, CheckJob
from tpsi_server.store import Store, Unchecked

#: Pictures hashed by one job.
BATCH = 32
#: Seconds until it is tried again when pictures cannot be decoded here at all.
RETRY = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checking:
    """Pictures that are being hashed, by row numbers, and what they are to be compared with."""

    numbers: tuple[int, ...]
    companions: Companions


class Checker:
    """Hands out what waits to be compared, and compares what comes back. For one thread."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._busy: set[int] = set()
        self._suspects: set[int] = set()
        self._rests_until = 0.0

    def next(self) -> tuple[Checking, CheckJob] | None:
        """The next pictures to hash; None if nothing waits. What has no picture is judged at once."""
        companions = self._store.companions.load()
        if companions is None or self._clock() < self._rests_until:
            return None
        try:
            return self._next(companions)
        except KeyFileError as error:  # nothing else is to wait for it
            _log.error("what was revealed cannot be compared, and is given to nobody: %s", error)
            self._rests_until = self._clock() + RETRY
            return None

    def _next(self, companions: Companions) -> tuple[Checking, CheckJob] | None:
        while found := self._store.reveals.unchecked(BATCH, self._busy):
            pictures, others = _split(found)
            if not self._store.reveals.judge(others, companions.state):
                return None  # they have changed: the next look sees how
            if pictures:
                return self._job(companions, pictures)
        return None

    def record(self, checking: Checking, result: Checked | Failure) -> None:
        """Compare what was hashed. A picture that broke its process is hashed alone; then it is held back.

        If the companions have changed meanwhile, the pictures wait to be compared with those that there are now.
        """
        self._busy.difference_update(checking.numbers)
        if isinstance(result, Failure):
            self._failed(checking, result)
            return
        self._suspects.difference_update(checking.numbers)
        judged = [(number, *checking.companions.judge(hashes)) for number, hashes in result.hashes]
        self._store.reveals.judge(judged, checking.companions.state)

    def release(self, checking: Checking) -> None:
        """Forget that pictures were claimed: nothing was written down of it."""
        self._busy.difference_update(checking.numbers)

    def _job(self, companions: Companions, pictures: dict[int, bytes]) -> tuple[Checking, CheckJob]:
        suspects = [number for number in pictures if number in self._suspects]
        chosen = suspects[:1] or list(pictures)
        self._busy.update(chosen)
        return Checking(tuple(chosen), companions), CheckJob(companions.types, tuple((n, pictures[n]) for n in chosen))

    def _failed(self, checking: Checking, result: Failure) -> None:
        if "ExtraMissingError" in result.reason:
            _log.error("what was revealed cannot be compared, and is given to nobody: %s", result.reason)
            self._rests_until = self._clock() + RETRY
        elif not result.begun:
            return
        elif len(checking.numbers) > 1:
            self._suspects.update(checking.numbers)
        else:
            _log.warning("a revealed picture is held back, hashing it came to nothing: %s", result.reason)
            self._suspects.difference_update(checking.numbers)
            held_back = [(number, Check.HELD_BACK, None) for number in checking.numbers]
            self._store.reveals.judge(held_back, checking.companions.state)


def _split(found: list[Unchecked]) -> tuple[dict[int, bytes], list[tuple[int, Check, int | None]]]:
    """Those with a small picture, and what is to be said of those with none, with other data, or that are damaged."""
    pictures: dict[int, bytes] = {}
    others: list[tuple[int, Check, int | None]] = []
    for one in found:
        if one.associated is None:
            others.append((one.number, Check.HELD_BACK, None))
            continue
        try:
            octets = Photograph.decode(one.associated).derivative
        except DecodeError:
            octets = b""
        if octets:
            pictures[one.number] = octets
        else:
            others.append((one.number, Check.UNKNOWN, None))
    return pictures, others
