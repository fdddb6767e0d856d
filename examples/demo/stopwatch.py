"""How long the steps of the run take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from examples.demo.figures import Timing


class Stopwatch:
    """Begins when it is made; notes the steps that it is asked to."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.timings: list[Timing] = []

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, what: str, pieces: int, piece: str) -> Iterator[None]:
        """Note the time of a block that does so many pieces of work."""
        started = time.monotonic()
        yield
        self.timings.append(Timing(what, time.monotonic() - started, pieces, piece))
