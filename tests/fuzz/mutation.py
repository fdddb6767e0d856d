"""Changed inputs: samples with octets flipped, cut, repeated, spliced, and numbers and words put where they hurt."""

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")

#: Octets that decoders of all kinds trip over.
WORDS = (
    b"", b"\0", b"\xff", b"\x80", b"\x7f", b"\0" * 32, b"\xff" * 32, b"\xff\xff\xff\xff", b"\x80\0\0\0",
    b"\xed\xa0\x80", b"null", b"true", b"{}", b"[]", b'"', b"\\", b"\\u0000", b"\\ud800", b"-1", b"0", b"1e999",
    b"9" * 30, b"NaN", b"1.5", b"[" * 200, b"{\"a\":" * 50, b"\n", b"\r\n", b"<", b"&lt;",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b",", b";", b":", b"=", "\u2028".encode(), "\u0663".encode(), "\u00e9".encode(),
    b"\xef\xbb\xbf", b"-----BEGIN CERTIFICATE-----",
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")


class Draws(random.Random):
    """Randomness, drawn in the cheapest way: of a million inputs, most of the time is spent on the decoder."""

    def below(self, bound: int) -> int:
        """A number from 0 on, below the bound."""
        return int(self.random() * bound)

    def one_of(self, values: Sequence[_T]) -> _T:
        """One of them."""
        return values[int(self.random() * len(values))]


_Mutator = Callable[[Draws, bytearray, Sequence[bytes]], None]


def mutated(draws: Draws, data: bytes, samples: Sequence[bytes]) -> bytes:
    """One input, changed a few times; `samples`: what other pieces come from."""
    changed = bytearray(data)
    for _ in range(draws.one_of((1, 1, 1, 2, 3, 6))):
        draws.one_of(_MUTATORS)(draws, changed, samples)
    return bytes(changed)


def _place(draws: Draws, data: bytearray) -> int:
    return draws.below(len(data) + 1)


def _flip(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[draws.below(len(data))] ^= 1 << draws.below(8)


def _set(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[draws.below(len(data))] = draws.one_of((0, 1, 0x7F, 0x80, 0xFF, draws.below(256)))


def _cut(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    del data[_place(draws, data) :]


def _remove(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(draws, data)
    del data[start : start + draws.one_of((1, 2, 4, 8, 32, 33))]


def _repeat(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(draws, data)
    piece = data[start : start + draws.one_of((1, 4, 32, 100))]
    data[start:start] = piece * draws.one_of((1, 1, 2, 20))


def _word(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    start, word = _place(draws, data), draws.one_of(WORDS)
    data[start : start + draws.one_of((0, len(word)))] = word


def _octets(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(draws, data)
    data[start:start] = draws.randbytes(draws.one_of((1, 2, 8, 40)))


def _number(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    found = _NUMBER.search(data, _place(draws, data)) or _NUMBER.search(data)
    if found:
        start, end = found.span()
        data[start:end] = str(other_number(draws, int(data[start : min(end, start + 20)]))).encode()


def other_number(draws: Draws, value: int) -> int:
    """Another number: beside it, or at a bound of a type."""
    return draws.one_of((0, -1, 1, value + 1, value - 1, value * 2, 2**16, 2**31, 2**32, 2**53, 2**63, 2**64, 10**25))


def _length(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    """A number of some octets, as lengths and counts are written."""
    start, size = _place(draws, data), draws.one_of((1, 2, 4, 8))
    value = draws.one_of((0, 1, len(data), len(data) + 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1)))
    data[start : start + size] = (value % 2 ** (8 * size)).to_bytes(size, draws.one_of(("big", "little")))


def _splice(draws: Draws, data: bytearray, samples: Sequence[bytes]) -> None:
    other = draws.one_of(samples)
    start = draws.below(len(other) + 1)
    data[_place(draws, data) :] = other[start:]


def _swap(draws: Draws, data: bytearray, _samples: Sequence[bytes]) -> None:
    size = draws.one_of((1, 8, 32, 33))
    first, second = _place(draws, data), _place(draws, data)
    data[first : first + size], data[second : second + size] = data[second : second + size], data[first : first + size]


_MUTATORS: tuple[_Mutator, ...] = (
    _flip, _flip, _set, _set, _cut, _remove, _repeat, _word, _word, _octets, _number, _number, _length, _splice, _swap,
)  # fmt: skip
