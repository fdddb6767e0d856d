"""Measurements as programs hand them on: JSON, for example what `make recall` writes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tpsi.errors import CallerError
from tpsi.plan.rates import DEFAULT_CONFIDENCE, Measurement

#: The name of the only hash type, if none is named.
UNNAMED = "hash"
_COUNTS = ("pairs", "false_matches", "probes")


def parse_measurements(text: str, where: str) -> list[Measurement]:
    """The measurements in JSON: an object, a list of them, or an object whose member `measurements` is one.

    An object has the members hash, probes, pairs, false_matches, confidence; others are not looked at. `where` is for
    messages. Raises CallerError.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise CallerError(f"{where} is not JSON") from None
    if isinstance(content, dict):
        content = content.get("measurements", [content])
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        raise CallerError(f"{where} holds no measurements")
    return [_measurement(entry, where) for entry in content]


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


def _measurement(entry: Mapping[str, Any], where: str) -> Measurement:
    counts = [entry.get(member) for member in _COUNTS]
    name, confidence = entry.get("hash"), entry.get("confidence", DEFAULT_CONFIDENCE)
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in counts)
    if not whole or not isinstance(name, str) or not isinstance(confidence, float):
        raise CallerError(f"{where}: a measurement has hash, confidence, and whole numbers {', '.join(_COUNTS)}")
    pairs, false_matches, probes = counts
    assert isinstance(pairs, int)  # noqa: S101 (for the type checker: `whole` says so)
    assert isinstance(false_matches, int)  # noqa: S101
    assert isinstance(probes, int)  # noqa: S101
    return Measurement(name, probes, pairs, false_matches, confidence)
