"""Changed documents: samples in JSON with other values in it, well-formed still: what reads the values is met, too."""

import json
from collections.abc import Sequence
from typing import Any

from tests.fuzz.mutation import Draws, mutated, other_number

#: Values that are not what a reader expects, in JSON: each time they are made anew, as they may be changed in turn.
VALUES = tuple(map(json.dumps, (
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**32 - 1, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, 1.5, 1e300,
    float("inf"), float("nan"), "", "0", "a", "x" * 300, "ff", "FF" * 16, "00" * 32, "fF" * 32, "\u0663", "\u00e9",
    "\ud800", "\0", " 1", "1_0", "tpsi", [], {}, [[]], [0], [""], {"": 0}, [None] * 70, {"a": {"a": {"a": []}}},
)))  # fmt: skip
_HEX = "0123456789abcdef"


def is_document(data: bytes) -> bool:
    """Whether it is a JSON object or list."""
    try:
        return isinstance(json.loads(data), dict | list)
    except ValueError:
        return False


def restructured(draws: Draws, data: bytes) -> bytes:
    """A document with a few values changed, in canonical form (no blanks, members in order)."""
    return _document(draws, data).encode("ascii")


def _document(draws: Draws, data: bytes | str) -> str:
    value = json.loads(data)
    for _ in range(draws.one_of((1, 1, 1, 2, 3))):
        _change(draws, value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _change(draws: Draws, value: dict[str, Any] | list[Any]) -> None:
    """Change something somewhere below a value."""
    if not value:
        return
    key: Any = draws.one_of(list(value)) if isinstance(value, dict) else draws.below(len(value))
    inner = value[key]
    if isinstance(inner, dict | list) and inner and draws.below(4):
        _change(draws, inner)
    else:
        _CHANGES[draws.below(len(_CHANGES))](draws, value, key)


def _near(draws: Draws, value: Any, key: Any) -> None:
    """A value of the same type."""
    inner = value[key]
    if isinstance(inner, bool):
        value[key] = not inner
    elif isinstance(inner, int):
        value[key] = other_number(draws, inner)
    elif isinstance(inner, str):
        value[key] = _text(draws, inner)
    else:
        value[key] = json.loads(draws.one_of(VALUES))


def _text(draws: Draws, text: str) -> str:
    if text[:1] in ("{", "[") and is_document(text.encode("utf-8", "replace")):
        return _document(draws, text)
    kind = draws.below(4)
    if kind == 0:
        return mutated(draws, text.encode("utf-8", "replace"), (b"",)).decode("utf-8", "replace")
    place = draws.below(len(text) + 1)
    if kind == 1:
        return text[:place] + draws.one_of(_HEX) + text[place + 1 :]
    if kind == 2:
        return text[:place] + text[place + draws.one_of((1, 2, 64)) :]
    return text[:place] + draws.one_of((text, "00", "f", " ", "\n", "\u00e9")) + text[place:]


def _other(draws: Draws, value: Any, key: Any) -> None:
    value[key] = json.loads(draws.one_of(VALUES))


def _drop(_draws: Draws, value: Any, key: Any) -> None:
    del value[key]


def _add(draws: Draws, value: Any, key: Any) -> None:
    """A member too many, or an element twice."""
    if isinstance(value, dict):
        value[draws.one_of(("", "a", key + "x", key.upper()))] = value[key]
    else:
        value.extend([value[key]] * draws.one_of((1, 1, 70)))


def _move(draws: Draws, value: Any, key: Any) -> None:
    """Two values in each other's place."""
    other: Any = draws.one_of(list(value)) if isinstance(value, dict) else draws.below(len(value))
    value[key], value[other] = value[other], value[key]


_CHANGES = (_near, _near, _near, _other, _other, _drop, _add, _move)


def documents(samples: Sequence[bytes]) -> list[bytes]:
    """Those of the samples that are documents."""
    return [sample for sample in samples if is_document(sample)]
