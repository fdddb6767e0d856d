"""From options and measurement files to hash types."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tpsi.errors import CallerError
from tpsi.plan import HashType, Measurement
from tpsi.plan.rates import DEFAULT_CONFIDENCE

#: The name of the only hash type, if none is named.
UNNAMED = "hash"
#: Octets of a file of measurements.
MAX_FILE = 16 << 20
_COUNTS = ("pairs", "false_matches", "probes")
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
    """The measurements in a JSON file: an object, a list of them, or an object whose member `measurements` is one.

    An object has the members hash, probes, pairs, false_matches, confidence; others are not looked at.
    """
    if path.stat().st_size > MAX_FILE:
        raise CallerError(f"{path} is larger than a file of measurements can be")
    try:
        content = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise CallerError(f"{path} is not JSON") from None
    if isinstance(content, dict):
        content = content.get("measurements", [content])
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        raise CallerError(f"{path} holds no measurements")
    return [_measurement(entry, path) for entry in content]


def choose(measured: Iterable[Measurement], name: str, probes: int, confidence: float | None) -> Measurement | None:
    """The measurement of a hash type with as many probes or the next more; None if the file has none of that type."""
    mine = [one for one in measured if name in (one.hash, UNNAMED)]
    if not mine:
        return None
    enough = sorted((one for one in mine if one.probes >= probes), key=lambda one: (one.probes, -one.pairs))
    if not enough:
        most = max(one.probes for one in mine)
        raise CallerError(f"{name} was measured with {most} probes at most: measure with at least {probes}")
    if name == UNNAMED and len({one.hash for one in mine}) > 1:
        raise CallerError("the file has measurements of several hash types: name them, --list NAME=SIZE")
    one = enough[0]
    return Measurement(one.hash, one.probes, one.pairs, one.false_matches, confidence or one.confidence)


def _measurement(entry: Mapping[str, Any], path: Path) -> Measurement:
    counts = [entry.get(member) for member in _COUNTS]
    name, confidence = entry.get("hash"), entry.get("confidence", DEFAULT_CONFIDENCE)
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in counts)
    if not whole or not isinstance(name, str) or not isinstance(confidence, float):
        raise CallerError(f"{path}: a measurement has hash, confidence, and whole numbers {', '.join(_COUNTS)}")
    pairs, false_matches, probes = counts
    assert isinstance(pairs, int)  # noqa: S101 (for the type checker: `whole` says so)
    assert isinstance(false_matches, int)  # noqa: S101
    assert isinstance(probes, int)  # noqa: S101
    return Measurement(name, probes, pairs, false_matches, confidence)
