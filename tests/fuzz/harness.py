"""The harness: gives changed inputs to a decoder, and tells if it does what it must not."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from tests.fuzz.mutation import mutated
from tpsi.errors import TpsiError

#: Seconds that one input may take, and after which it is interrupted.
SLOW, HANG = 1.0, 10.0


class FuzzError(AssertionError):
    """A decoder did what it must not; the message repeats the case."""


class _HangError(BaseException):
    """It takes too long; nothing that catches errors catches it."""


@dataclass(frozen=True)
class Target:
    """A decoder: `run` takes an input and may raise `errors`; `samples` are good inputs.

    `weight`: how much slower it is than others; of so many cases it gets fewer in a short run.
    """

    name: str
    run: Callable[[bytes], object]
    samples: Sequence[bytes]
    errors: tuple[type[BaseException], ...] = (TpsiError,)
    weight: int = 1


@dataclass
class Report:
    """What happened: `refused` inputs of `cases`; the seconds of the slowest one, and of all."""

    name: str
    cases: int = 0
    refused: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    by_error: dict[str, int] = field(default_factory=dict)


def fuzz(target: Target, cases: int, seed: int = 0) -> Report:
    """Run so many cases; FuzzError for the first that does what it must not."""
    report = Report(target.name)
    for sample in target.samples:
        target.run(sample)  # what is good is taken
    begun = time.perf_counter()
    with _interrupting():
        for number in range(cases):
            _one(target, seed, number, report)
    report.seconds = time.perf_counter() - begun
    return report


def case(target: Target, seed: int, number: int) -> bytes:
    """The input of one case."""
    return mutated(random.Random(f"{target.name} {seed} {number}"), target.samples)


def _one(target: Target, seed: int, number: int, report: Report) -> None:
    data = case(target, seed, number)
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        target.run(data)
    except target.errors as error:
        report.refused += 1
        name = type(error).__name__
        report.by_error[name] = report.by_error.get(name, 0) + 1
        _check_message(target, seed, number, error)
    except _HangError:
        raise FuzzError(_told(target, seed, number, f"hangs for more than {HANG} s")) from None
    except BaseException as error:
        raise FuzzError(_told(target, seed, number, f"raises {type(error).__name__}: {error}")) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    taken = time.perf_counter() - start
    report.cases += 1
    report.slowest = max(report.slowest, taken)
    if taken > SLOW:
        raise FuzzError(_told(target, seed, number, f"takes {taken:.1f} s"))


def _check_message(target: Target, seed: int, number: int, error: BaseException) -> None:
    """What a person is told of an input stays short, whatever the input is."""
    if isinstance(error, TpsiError) and len(str(error)) > 2000:
        raise FuzzError(_told(target, seed, number, f"says {len(str(error))} characters"))


def _told(target: Target, seed: int, number: int, what: str) -> str:
    data = case(target, seed, number)
    shown = data.hex() if len(data) <= 400 else data[:400].hex() + "…"
    again = f"python -m tests.fuzz --target {target.name} --seed {seed} --only {number}"
    return f"{target.name} {what}\n  again: {again}\n  input: {shown}"


@contextmanager
def _interrupting() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise _HangError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
