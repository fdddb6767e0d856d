"""The harness: gives changed inputs to a decoder, and tells if it does what it must not."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from types import FrameType

from tests.fuzz.mutation import Draws, mutated
from tests.fuzz.structure import documents, restructured
from tpsi.errors import TpsiError

#: Seconds that one input may take, and after which it is interrupted.
SLOW, HANG = 1.0, 10.0
#: Cases that follow from one seed: seeding costs as much as some inputs.
BLOCK = 200


class FuzzError(AssertionError):
    """A decoder did what it must not; the message repeats the case."""


class _HangError(BaseException):
    """It takes too long; nothing that catches errors catches it."""


@dataclass(frozen=True)
class Target:
    """A decoder: `run` takes an input and may raise `errors`; `samples` are good inputs.

    `weight`: of so many cases it gets fewer in the tests, because one decoding is expensive in itself.
    """

    name: str
    run: Callable[[bytes], object]
    samples: Sequence[bytes]
    errors: tuple[type[BaseException], ...] = (TpsiError,)
    weight: int = 1


@dataclass
class Report:
    """What happened: `refused` inputs of `cases`; the seconds of the slowest one, and of a processor for all."""

    name: str
    cases: int = 0
    refused: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    by_error: dict[str, int] = field(default_factory=dict)


def fuzz(target: Target, cases: int, seed: int = 0) -> Report:
    """Run so many cases; FuzzError for the first that does what it must not."""
    for sample in target.samples:
        target.run(sample)  # what is good is taken
    report, begun = Report(target.name), time.process_time()
    with _watched() as watch:
        for number, data in enumerate(islice(inputs(target, seed), cases)):
            watch.begun = start = time.perf_counter()
            try:
                target.run(data)
            except target.errors as error:
                _count(report, error)
                if len(str(error)) > 2000 and isinstance(error, TpsiError):
                    raise FuzzError(_told(target, seed, number, f"says {len(str(error))} characters")) from error
            except _HangError:
                raise FuzzError(_told(target, seed, number, f"hangs for more than {HANG} s")) from None
            except BaseException as error:
                raise FuzzError(_told(target, seed, number, f"raises {type(error).__name__}: {error}")) from error
            taken = time.perf_counter() - start
            if taken > report.slowest:
                report.slowest = taken = _again(target, data, taken)
                if taken > SLOW:
                    raise FuzzError(_told(target, seed, number, f"takes {taken:.1f} s"))
            report.cases += 1
    report.seconds = time.process_time() - begun
    return report


def inputs(target: Target, seed: int, first: int = 0) -> Iterator[bytes]:
    """The inputs of all cases, from the block on that begins with the case `first`."""
    structured = documents(target.samples)
    while True:
        draws = Draws(f"{target.name} {seed} {first // BLOCK}")
        for _ in range(BLOCK):
            if structured and draws.below(2):
                data = restructured(draws, draws.one_of(structured))
                yield data if draws.below(8) else mutated(draws, data, target.samples)
            else:
                yield mutated(draws, draws.one_of(target.samples), target.samples)
        first += BLOCK


def case(target: Target, seed: int, number: int) -> bytes:
    """The input of one case."""
    return next(islice(inputs(target, seed, number - number % BLOCK), number % BLOCK, None))


def _count(report: Report, error: BaseException) -> None:
    report.refused += 1
    name = type(error).__name__
    report.by_error[name] = report.by_error.get(name, 0) + 1


def _again(target: Target, data: bytes, taken: float) -> float:
    """The time of a case that seems slow: the least of three, as machines have other things to do."""
    for _ in range(2 if SLOW < taken < HANG / 4 else 0):
        start = time.perf_counter()
        with suppress(*target.errors):
            target.run(data)
        taken = min(taken, time.perf_counter() - start)
    return taken


def _told(target: Target, seed: int, number: int, what: str) -> str:
    data = case(target, seed, number)
    shown = data.hex() if len(data) <= 400 else data[:400].hex() + "…"
    again = f"python -m tests.fuzz --target {target.name} --seed {seed} --only {number}"
    return f"{target.name} {what}\n  again: {again}\n  input: {shown}"


@dataclass
class _Watch:
    """When the case that runs was begun."""

    begun: float


@contextmanager
def _watched() -> Iterator[_Watch]:
    """Interrupts a case that takes too long: one timer that goes on, as one for every case would cost more than it."""
    watch = _Watch(time.perf_counter())

    def look(_number: int, _frame: FrameType | None) -> None:
        if time.perf_counter() - watch.begun > HANG:
            raise _HangError

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, HANG / 4, HANG / 4)
    try:
        yield watch
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
