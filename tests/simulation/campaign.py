"""Many histories, one after the other, and what came of them."""

import math
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.simulation.flaws import SOUND, Flaw
from tests.simulation.history import memory, play
from tests.simulation.steps import Step, draw_steps, shrink
from tests.support.postgres import PostgresServer

#: Steps of a history.
LENGTH = 40


@dataclass(frozen=True)
class Failure:
    """A history that broke a promise: its seed, what was broken, and a shorter list of steps that still does."""

    seed: int
    what: str
    steps: Sequence[Step]
    trace: str

    def __str__(self) -> str:
        lines = "\n".join(f"    {step}" for step in self.steps)
        return (
            f"history {self.seed}: {self.what}\n  again: python -m tests.simulation --histories 1 --seed {self.seed}\n"
            f"  {len(self.steps)} steps are enough:\n{lines}\n{self.trace}"
        )


@dataclass
class Result:
    """How many histories were played, how many steps of each kind, and the first that failed."""

    histories: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    failure: Failure | None = None


def simulate(
    histories: int,
    seed: int,
    flaw: Flaw = SOUND,
    postgres: PostgresServer | None = None,
    *,
    length: int = LENGTH,
    shrinking: bool = True,
    seconds: float = math.inf,
    progress: Callable[[int], None] = lambda _done: None,
) -> Result:
    """Play the histories with the seeds from `seed` on, until one fails; that one is shrunk.

    After so many seconds none is begun.
    """
    result, end = Result(), time.monotonic() + seconds
    for number in range(seed, seed + histories):
        if time.monotonic() > end:
            break
        steps: Sequence[Step] = draw_steps(number, length)
        error = attempt(steps, number, flaw, postgres)
        result.histories += 1
        result.steps.update(step.verb for step in steps)
        if error is not None:
            if shrinking:
                steps, error = _shorter(steps, error, partial(attempt, seed=number, flaw=flaw, postgres=postgres))
            trace = "".join(traceback.format_exception(error))
            result.failure = Failure(number, f"{type(error).__name__}: {error}", steps, trace)
            break
        progress(result.histories)
    return result


def _shorter(
    steps: Sequence[Step], error: Exception, again: Callable[[Sequence[Step]], Exception | None]
) -> tuple[Sequence[Step], Exception]:
    """Fewer steps that end in an error of the same kind, and that error."""
    fewest = shrink(steps, lambda some: type(again(some)) is type(error))
    return fewest, again(fewest) or error


def attempt(
    steps: Sequence[Step], seed: int, flaw: Flaw = SOUND, postgres: PostgresServer | None = None
) -> Exception | None:
    """Play one history in a folder of its own; what it raised."""
    place = Path(tempfile.mkdtemp(prefix="tpsi-simulation-", dir=memory()))
    try:
        with ExitStack() as stack:
            url = None if postgres is None else stack.enter_context(postgres.database())
            play(place, steps, seed, url=url, flaw=flaw)
    except Exception as error:
        return error
    finally:
        shutil.rmtree(place)
    return None
