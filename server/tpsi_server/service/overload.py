"""What keeps a flood from anybody else: places, octets and a pace. For one event loop."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason

#: Names of which a pace is remembered before those that are at rest are forgotten.
_REMEMBERED = 10_000


class Turnstile:
    """At most so many at a time under one name."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside: Counter[str] = Counter()

    @contextmanager
    def passing(self, name: str) -> Iterator[None]:
        """A block that is one of those inside; RefusedError with TOO_MANY_CALLS if there is no place."""
        if self._inside[name] >= self._limit:
            raise RefusedError(Reason.TOO_MANY_CALLS, f"{self._limit} calls are under way already")
        self._inside[name] += 1
        try:
            yield
        finally:
            self._inside[name] -= 1
            if not self._inside[name]:
                del self._inside[name]

    def __len__(self) -> int:
        return self._inside.total()


class Budget:
    """Octets that may be held at a time: given out in the order in which they were asked for."""

    def __init__(self, total: int, waiting: int) -> None:
        self._free = self._total = total
        self._room = waiting
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held(self) -> int:
        """Octets that were given out."""
        return self._total - self._free

    async def take(self, octets: int) -> None:
        """Wait until so many may be held; RefusedError with OVERLOADED if too much waits for that already."""
        octets = min(octets, self._total)
        if not self._queue and octets <= self._free:
            self._free -= octets
            return
        if sum(size for size, _ in self._queue) + octets > self._room:
            raise RefusedError(Reason.OVERLOADED, "too much waits to be stored")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (octets, turn)
        self._queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(octets)
            else:
                self._queue.remove(entry)
                self._serve()
            raise

    def give_back(self, octets: int) -> None:
        """Let go of octets that were taken."""
        self._free += min(octets, self._total)
        self._serve()

    def _serve(self) -> None:
        while self._queue and self._queue[0][0] <= self._free:
            octets, turn = self._queue.popleft()
            if not turn.cancelled():
                self._free -= octets
                turn.set_result(None)


class Pace:
    """How fast things may come under one name: some ahead at once, then in step. Who is much too fast is refused."""

    def __init__(self, ahead: float, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ahead, self._patience, self._clock = ahead, patience, clock
        self._due: dict[str, float] = {}  # when what has come until now will have been due

    def wait(self, name: str, count: int, rate: int) -> float:
        """Seconds to wait before `count` more are in step with `rate` a second (0: any). They count from now on.

        RefusedError with RATE_LIMITED, saying when to come again, if that is too long: then they don't count. Who is at
        rest may send any count: one that is too large at any time could never be sent.
        """
        if not rate:
            return 0.0
        now = self._clock()
        before = max(now, self._due.get(name, now))
        due = before + count / rate
        pause = due - now - self._ahead
        if pause > self._patience and before > now:
            raise RefusedError(Reason.RATE_LIMITED, f"more than {rate} a second", retry_after=pause)
        if len(self._due) >= _REMEMBERED:
            self._due = {other: moment for other, moment in self._due.items() if moment > now}
        self._due[name] = due
        return max(0.0, min(pause, self._patience))
