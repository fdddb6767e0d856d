"""From options and measurement files to hash types."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from tpsi.errors import CallerError
from tpsi.plan import HashType, Measurement, choose, parse_measurements
from tpsi.plan.rates import DEFAULT_CONFIDENCE
from tpsi.plan.reading import UNNAMED

#: Octets of a file of measurements.
MAX_FILE = 16 << 20
_T = TypeVar("_T", int, float)


def hash_types(
    lists: Sequence[str],
    rates: Sequence[str],
    pairs: Sequence[str],
    matches: Sequence[str],
    file: Path | None,
    *,
    probes: int,
    confidence: float | None,
    per_picture: bool,
) -> tuple[HashType, ...]:
    """The hash types that the options describe; CallerError, saying what to do, if they contradict each other."""
    sizes = named(lists, int, "--list")
    assumed, trials = named(rates, float, "--rate"), named(pairs, int, "--pairs")
    counted = named(matches, int, "--false-matches")
    measured = read_measurements(file) if file else []
    for option, given in (("--rate", assumed), ("--pairs", trials), ("--false-matches", counted)):
        if not set(given) <= set(sizes):
            raise CallerError(f"{option} names {', '.join(set(given) - set(sizes))}, for which there is no --list")
    if set(trials) != set(counted):
        raise CallerError("--pairs and --false-matches belong together")
    found = []
    for name, size in sizes.items():
        direct = None
        if name in trials:
            level = confidence or DEFAULT_CONFIDENCE
            direct = Measurement(name, probes, trials[name], counted[name], level)
        chosen = direct or (None if name in assumed else choose(measured, name, probes, confidence))
        if chosen is None and name not in assumed:
            raise CallerError(
                f"nothing says how often {name} matches falsely: give --measured FILE, or --pairs with "
                "--false-matches, or, if there is no measurement, --rate"
            )
        if chosen and name in assumed:
            raise CallerError(f"{name} has both a measurement and a --rate: leave one out")
        found.append(HashType(name, size, chosen, assumed.get(name), per_picture))
    return tuple(found)


def named(texts: Sequence[str], number: type[_T], option: str) -> dict[str, _T]:
    """`NAME=VALUE`, or one `VALUE` for the only hash type."""
    found: dict[str, _T] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        name = name if equals else UNNAMED
        try:
            read = number(value.replace("_", ""))
        except ValueError:
            raise CallerError(f"{option} is a number, or NAME=number, not {text!r}") from None
        if not name or name in found:
            raise CallerError(f"{option}: name every hash type once")
        found[name] = read
    return found


def read_measurements(path: Path) -> list[Measurement]:
    """The measurements in a file (see `parse_measurements`)."""
    if path.stat().st_size > MAX_FILE:
        raise CallerError(f"{path} is larger than a file of measurements can be")
    try:
        return parse_measurements(path.read_text("utf-8"), str(path))
    except UnicodeDecodeError:
        raise CallerError(f"{path} is not JSON") from None
