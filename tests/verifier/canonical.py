"""Section 5: the canonical form of JSON."""

import json
from functools import lru_cache
from typing import Any

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


class RefusedError(Exception):
    """A manifest that a device refuses; `check` is the number of the failed check of section 5."""

    def __init__(self, check: int, reason: str) -> None:
        super().__init__(f"check {check}: {reason}")
        self.check = check


def canonical(value: Any) -> str:
    """The one JSON text of a value; ValueError for numbers that are no integers below 2^53."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) < 2**53:
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(escape(character) for character in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(canonical(entry) for entry in value) + "]"
    if isinstance(value, dict):
        members = (f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value))
        return "{" + ",".join(members) + "}"
    raise ValueError("has no canonical form")


def escape(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def decode_canonical(text: str) -> dict[str, Any]:
    """The object that a text is the canonical form of; RefusedError(1) if there is none."""
    if encoded_again(text) != text or not isinstance(value := json.loads(text), dict):
        raise RefusedError(1, "not a JSON object in canonical form")
    return value


@lru_cache(maxsize=512)
def encoded_again(text: str) -> str | None:
    """The canonical form of what a text says, None if it is not JSON or has none."""
    try:
        return canonical(json.loads(text))
    except (ValueError, RecursionError):
        return None
