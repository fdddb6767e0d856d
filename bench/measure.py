"""Tasks to be measured, and the rounds in which each is run once, between two samples of what it is compared with."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.errors import BenchError
from bench.spread import Spread

#: Told before each sample: how many are done, of how many, and what comes next.
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a cost belongs to. `suite`, `table` and `backend` are None where they make no difference."""

    operation: str
    suite: str | None = None
    table: str | None = None
    backend: str | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(part for part in (self.operation, self.suite, self.table) if part)


@dataclass(frozen=True, slots=True)
class Work:
    """Something that takes time: `sample` does it for `items` items and returns the seconds that this took."""

    items: int
    sample: Callable[[], float]

    def seconds(self) -> float:
        """Of one item, in one sample."""
        return self.sample() / self.items


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that can be measured."""

    subject: Subject
    work: Work


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to measure; `beside` names what it is compared with."""

    subject: Subject
    work: Work
    beside: Mapping[str, Work] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """The outcome: seconds an item, one value for each round, in the order of the rounds.

    `beside`: the same of what was measured just before and just after, on average. What slows the machine down for a
    while hits both, so that ratios are steadier than times.
    """

    subject: Subject
    items: int
    seconds: tuple[float, ...]
    beside: Mapping[str, tuple[float, ...]]

    @property
    def spread(self) -> Spread:
        """Over the rounds, in seconds an item."""
        return Spread.of(self.seconds)


def cpu(work: Callable[[], object]) -> Callable[[], float]:
    """A sample in processor time of this process, all threads together."""

    def sample() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return sample


def measure(tasks: Sequence[Task], repeats: int, progress: Progress) -> list[Cost]:
    """Run every task once a round."""
    rounds: list[list[tuple[float, dict[str, float]]]] = [[] for _ in tasks]
    for number in range(repeats):
        gc.collect()
        for index, task in enumerate(tasks):
            progress(number * len(tasks) + index, repeats * len(tasks), str(task.subject))
            before = {name: work.seconds() for name, work in task.beside.items()}
            seconds = task.work.seconds()
            beside = {name: (before[name] + work.seconds()) / 2 for name, work in task.beside.items()}
            rounds[index].append((seconds, beside))
    return [_cost(task, taken) for task, taken in zip(tasks, rounds, strict=True)]


def _cost(task: Task, rounds: Sequence[tuple[float, Mapping[str, float]]]) -> Cost:
    beside = {name: tuple(besides[name] for _, besides in rounds) for name in task.beside}
    return Cost(task.subject, task.work.items, tuple(seconds for seconds, _ in rounds), beside)


def find(costs: Sequence[Cost], operation: str, **wanted: object) -> Cost:
    """The one cost of an operation; BenchError unless there is exactly one.

    `wanted` are attributes of its subject, or members of the subject's parameters.
    """
    found = [cost for cost in costs if cost.subject.operation == operation and _fits(cost.subject, wanted)]
    if len(found) != 1:
        raise BenchError(f"{len(found)} measurements of {operation!r} fit {wanted}, not one")
    return found[0]


def _fits(subject: Subject, wanted: Mapping[str, object]) -> bool:
    return all(
        subject.parameters.get(name) == value if name in subject.parameters else getattr(subject, name, None) == value
        for name, value in wanted.items()
    )
