"""Arithmetic in the field of 2^61 − 1 elements, on batches (specification, section 2.3)."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

P = 2**61 - 1
ELEMENT_SIZE = 8

Elements: TypeAlias = NDArray[np.uint64]

_P = np.uint64(P)
_LOW32 = np.uint64(2**32 - 1)
_LOW29 = np.uint64(2**29 - 1)
_S3, _S29, _S32, _S61 = (np.uint64(n) for n in (3, 29, 32, 61))


def add(a: Elements, b: Elements) -> Elements:
    """a + b, element by element (the usual broadcasting)."""
    total = a + b  # < 2^62: no wrap
    return np.where(total >= _P, total - _P, total)


def multiply(a: Elements, b: Elements) -> Elements:
    """a · b, element by element (the usual broadcasting).

    With a = a1·2^32 + a0 and b likewise (a1, b1 < 2^29; a0, b0 < 2^32):
    a·b = a1·b1·2^64 + (a1·b0 + a0·b1)·2^32 + a0·b0. Modulo 2^61 − 1: 2^64 = 8, and for a middle term
    m < 2^62, m·2^32 = ⌊m/2^29⌋ + (m mod 2^29)·2^32. The four summands are below 2^61, 2^33, 2^61 and
    2^61 + 8, so their sum does not wrap.
    """
    a1, a0 = a >> _S32, a & _LOW32
    b1, b0 = b >> _S32, b & _LOW32
    high = (a1 * b1) << _S3
    middle = a1 * b0 + a0 * b1
    low = a0 * b0
    total = high + (middle >> _S29) + ((middle & _LOW29) << _S32) + (low & _P) + (low >> _S61)
    total = (total & _P) + (total >> _S61)
    return np.where(total >= _P, total - _P, total)


def evaluate(coefficients: Elements, points: Elements) -> Elements:
    """(n, rows): every polynomial, given as a row of (rows, degree + 1) coefficients, constant first, at n points."""
    result = np.zeros((len(points), len(coefficients)), np.uint64)
    column = points[:, None]
    for power in range(coefficients.shape[1] - 1, -1, -1):
        result = add(multiply(result, column), coefficients[None, :, power])
    return result


def words(stream: Callable[[int], bytes], about: int) -> Iterator[int]:
    """The uniform field elements read from an extendable output; `about` is how many are expected to be used."""
    size = ELEMENT_SIZE * (about + 2)
    position = 0
    while True:
        block = stream(size)
        for start in range(position, size, ELEMENT_SIZE):
            value = int.from_bytes(block[start : start + ELEMENT_SIZE], "big") & P
            if value != P:
                yield value
        position, size = size, 2 * size


def encode(values: Elements) -> bytes:
    """Field elements as 8 big-endian octets each."""
    return values.astype(">u8").tobytes()


def decode(data: bytes) -> Elements | None:
    """Inverse of `encode`; None if the length is not a multiple of 8 or a value is not below p."""
    if len(data) % ELEMENT_SIZE:
        return None
    values = np.frombuffer(data, ">u8").astype(np.uint64)
    return None if np.any(values >= _P) else values
