"""Two cores against one: a step done by one process, and by two side by side, in wall-clock time."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.crew import Member
from bench.errors import BenchError
from bench.measure import Progress, Step
from bench.spread import Spread

STEPS = ("blind", "blind and encode", "seal", "match")


@dataclass(frozen=True, slots=True)
class Scaling:
    """Items a second on one core and on two, one value for each round."""

    operation: str
    suite: str
    table: str | None
    backend: str | None
    one: tuple[float, ...]
    two: tuple[float, ...]

    @property
    def factor(self) -> Spread:
        """Two cores ÷ one."""
        return Spread.of([both / alone for both, alone in zip(self.two, self.one, strict=True)])


def measure_cores(first: Member, second: Member, repeats: int, progress: Progress) -> list[Scaling]:
    """Every step of STEPS that both members have, without associated data."""
    pairs = [pair for pair in zip(first.steps, second.steps, strict=True) if _counts(pair[0])]
    if any(ours.subject != theirs.subject for ours, theirs in pairs):
        raise BenchError("two measuring processes have different steps")
    with ThreadPoolExecutor(2) as pool:
        found: list[Scaling] = []
        for number, pair in enumerate(pairs):
            progress(number, len(pairs), f"two cores: {pair[0].subject}")
            rounds = [_round(pool, pair) for _ in range(repeats)]
            subject = pair[0].subject
            of = subject.operation, subject.suite or "", subject.table, subject.backend
            found.append(Scaling(*of, *zip(*rounds, strict=True)))
    return found


def _counts(step: Step) -> bool:
    return step.subject.operation in STEPS and not step.subject.parameters.get("associated_bytes")


def _round(pool: ThreadPoolExecutor, pair: tuple[Step, Step]) -> tuple[float, float]:
    """Items a second on one core, between two looks at it, and on two."""
    before, both, after = (_seconds(pool, some) for some in (pair[:1], pair, pair[1:]))
    items = pair[0].work.items
    return 2 * items / (before + after), 2 * items / both


def _seconds(pool: ThreadPoolExecutor, some: Sequence[Step]) -> float:
    start = time.perf_counter()
    for done in [pool.submit(step.work.sample) for step in some]:
        done.result()
    return time.perf_counter() - start
