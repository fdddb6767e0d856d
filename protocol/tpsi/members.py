"""Members of JSON objects from outside, each of the kind that is asked for; TypeError or ValueError for any other."""

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError
    return value


def integer(value: object) -> int:
    """A whole number; true and false are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def truth(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def octets(value: object) -> bytes:
    """Octets, written in hexadecimal with small letters."""
    if not _HEX.match(text(value)):
        raise ValueError
    return bytes.fromhex(text(value))


def octets_or_none(value: object) -> bytes | None:
    """Octets, or null."""
    return None if value is None else octets(value)


def word(words: type[_E], value: object) -> _E:
    """One of the words of an enumeration."""
    return words(text(value))


def each(values: object, convert: Callable[[Any], _T]) -> list[_T]:
    """A list, with every value converted."""
    if not isinstance(values, list):
        raise TypeError
    return [convert(value) for value in values]
