"""Changed inputs: samples with octets flipped, cut, repeated, spliced, and numbers and words put where they hurt."""

import random
import re
from collections.abc import Callable, Sequence

#: Octets that decoders of all kinds trip over.
WORDS = (
    b"", b"\0", b"\xff", b"\x80", b"\x7f", b"\0" * 32, b"\xff" * 32, b"\xff\xff\xff\xff", b"\x80\0\0\0",
    b"\xed\xa0\x80", b"null", b"true", b"{}", b"[]", b'"', b"\\", b"\\u0000", b"\\ud800", b"-1", b"0", b"1e999",
    b"9" * 30, b"NaN", b"1.5", b"[" * 200, b"{\"a\":" * 50, b"\n", b"\r\n", b"<", b"&lt;",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b",", b";", b":", b"=", "\u2028".encode(), "\u0663".encode(), "\u00e9".encode(),
    b"\xef\xbb\xbf", b"-----BEGIN CERTIFICATE-----",
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_Mutator = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(rng: random.Random, samples: Sequence[bytes]) -> bytes:
    """A sample, changed a few times."""
    data = bytearray(rng.choice(samples))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(_MUTATORS)(rng, data, samples)
    return bytes(data)


def _place(rng: random.Random, data: bytearray) -> int:
    return rng.randrange(len(data) + 1)


def _flip(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _cut(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    del data[_place(rng, data) :]


def _remove(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(rng, data)
    del data[start : start + rng.choice((1, 2, 4, 8, 32, 33))]


def _repeat(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(rng, data)
    piece = data[start : start + rng.choice((1, 4, 32, 100))]
    data[start:start] = piece * rng.choice((1, 1, 2, 20))


def _word(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    start, word = _place(rng, data), rng.choice(WORDS)
    data[start : start + rng.choice((0, len(word)))] = word


def _octets(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    start = _place(rng, data)
    data[start:start] = rng.randbytes(rng.choice((1, 2, 8, 40)))


def _number(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    found = [*_NUMBER.finditer(data)]
    if found:
        start, end = rng.choice(found).span()
        value = int(data[start : min(end, start + 20)])
        other = rng.choice(
            (0, -1, 1, value + 1, max(0, value - 1), value * 2, 2**31, 2**32, 2**53, 2**63, 2**64, 10**25)
        )
        data[start:end] = str(other).encode()


def _length(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    """A number of some octets, as lengths and counts are written."""
    start, size = _place(rng, data), rng.choice((1, 2, 4, 8))
    value = rng.choice((0, 1, len(data), len(data) + 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1)))
    data[start : start + size] = (value % 2 ** (8 * size)).to_bytes(size, rng.choice(("big", "little")))


def _splice(rng: random.Random, data: bytearray, samples: Sequence[bytes]) -> None:
    other = rng.choice(samples)
    start = rng.randrange(len(other) + 1)
    data[_place(rng, data) :] = other[start:]


def _swap(rng: random.Random, data: bytearray, _samples: Sequence[bytes]) -> None:
    size = rng.choice((1, 8, 32, 33))
    first, second = _place(rng, data), _place(rng, data)
    data[first : first + size], data[second : second + size] = data[second : second + size], data[first : first + size]


_MUTATORS: tuple[_Mutator, ...] = (
    _flip, _flip, _set, _set, _cut, _remove, _repeat, _word, _word, _octets, _number, _number, _length, _splice, _swap,
)  # fmt: skip
