"""What keeps a flood from anybody else: places, octets and a pace. For one event loop."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """Octets that somebody waits for."""

    name: str
    octets: int
    came: asyncio.Future[None]


class Budget:
    """Octets that may be held at a time: given out in the order in which they were asked for.

    One name has at most a part of them, and of the room to wait: whoever asks for more is passed over by the others.
    """

    PART = 4

    def __init__(self, total: int, waiting: int) -> None:
        self._free = self._total = total
        self._room = waiting
        self._held: Counter[str] = Counter()
        self._queue: list[_Turn] = []

    @property
    def held(self) -> int:
        """Octets that were given out."""
        return self._total - self._free

    async def take(self, name: str, octets: int) -> None:
        """Wait until so many may be held; RefusedError with OVERLOADED if too much waits for that already."""
        turn = _Turn(name, min(octets, self._total), asyncio.get_running_loop().create_future())
        self._queue.append(turn)
        self._serve()
        if not turn.came.done() and self._waits_too_much(turn):
            self._queue.remove(turn)
            raise RefusedError(Reason.OVERLOADED, "too much waits to be stored")
        try:
            await turn.came
        except asyncio.CancelledError:
            if turn.came.done() and not turn.came.cancelled():
                self.give_back(name, octets)
            else:
                self._queue.remove(turn)
                self._serve()
            raise

    def give_back(self, name: str, octets: int) -> None:
        """Let go of octets that were taken."""
        self._change(name, -min(octets, self._total))
        self._serve()

    def _waits_too_much(self, last: _Turn) -> bool:
        mine = sum(turn.octets for turn in self._queue if turn.name == last.name)
        several = mine > last.octets and mine > self._room // self.PART
        return several or sum(turn.octets for turn in self._queue) > self._room

    def _serve(self) -> None:
        for turn in list(self._queue):
            held = self._held[turn.name]
            if turn.came.cancelled() or (held and held + turn.octets > self._total // self.PART):
                continue
            if turn.octets > self._free:
                return  # a smaller one does not overtake: the larger would never come
            self._queue.remove(turn)
            self._change(turn.name, turn.octets)
            turn.came.set_result(None)

    def _change(self, name: str, octets: int) -> None:
        self._free -= octets
        self._held[name] += octets
        if not self._held[name]:
            del self._held[name]


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
