"""Arithmetic in the field of 2^61 − 1 elements, on batches (specification, section 2.3)."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError

P = 2**61 - 1
ELEMENT_SIZE = 8

Elements: TypeAlias = NDArray[np.uint64]

_P = np.uint64(P)
_LOW29, _LOW30, _LOW31, _LOW32 = (np.uint64(2**n - 1) for n in (29, 30, 31, 32))
_S3, _S29, _S30, _S31, _S32, _S61 = (np.uint64(n) for n in (3, 29, 30, 31, 32, 61))

#: Elements that a long computation handles at a time, so that its scratch stays in the processor's cache.
_BLOCK = 1 << 14


#: Terms of a scalar product in floating point: more could exceed 53 bits.
_TERMS = 512
_LOW21, _LOW40 = np.uint64(2**21 - 1), np.uint64(2**40 - 1)
_S21, _S40 = np.uint64(21), np.uint64(40)


def add(a: Elements, b: Elements) -> Elements:
    """a + b, element by element (the usual broadcasting)."""
    total = a + b  # < 2^62: no wrap
    return np.where(total >= _P, total - _P, total)


def subtract(a: Elements, b: Elements) -> Elements:
    """a − b, element by element (the usual broadcasting)."""
    return add(a, _P - b)  # a + (p − b) ≤ 2p − 1: reduced by one subtraction


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
    result: Elements = np.where(total >= _P, total - _P, total)
    return result


def inverse(a: Elements) -> Elements:
    """1/a for every element of a one-dimensional batch; CallerError if one is zero."""
    values = a.tolist()
    if 0 in values:
        raise CallerError("zero has no inverse")
    return np.array([pow(value, -1, P) for value in values], np.uint64)


def add_outer(target: Elements, column: Elements, row: Elements) -> None:
    """target[i, k] += column[i] · row[k] in place: target (m, n), column (m,), row (n,)."""
    width = max(1, _BLOCK // max(1, len(column)))
    for start in range(0, len(row), width):
        _add_outer(target[:, start : start + width], column[:, None], row[start : start + width])


def _add_outer(target: Elements, column: Elements, row: Elements) -> None:
    """As `add_outer`, with column (m, 1).

    For a factor c = c1·2^31 + c0 of the column and r' = 2^31·r mod p (a rotation of 61 bits) of the row,
    c·r = c0·r + c1·r'. With r = r1·2^31 + r0 and likewise r' (upper parts below 2^30, lower ones below 2^31) it is
    (c0·r0 + c1·r'0) + m·2^31, m = c0·r1 + c1·r'1. The first sum is below 2^62 + 2^61. As m < 2^62, m·2^31 is
    ⌊m/2^30⌋ + (m mod 2^30)·2^31 < 2^61 + 2^32. Together with the target's value all stays below 2^64.
    """
    rotated = ((row & _LOW30) << _S31) | (row >> _S30)
    c1, c0 = column >> _S31, column & _LOW31
    scratch, middle = np.empty_like(target), np.empty_like(target)
    np.multiply(c0, row & _LOW31, out=scratch)
    np.add(target, scratch, out=target)
    np.multiply(c1, rotated & _LOW31, out=scratch)
    np.add(target, scratch, out=target)
    np.multiply(c0, row >> _S31, out=middle)
    np.multiply(c1, rotated >> _S31, out=scratch)
    np.add(middle, scratch, out=middle)
    np.right_shift(middle, _S30, out=scratch)
    np.add(target, scratch, out=target)
    np.bitwise_and(middle, _LOW30, out=middle)
    np.left_shift(middle, _S31, out=middle)
    np.add(target, middle, out=target)
    np.right_shift(target, _S61, out=scratch)
    np.bitwise_and(target, _P, out=target)
    np.add(target, scratch, out=target)
    np.subtract(target, _P, out=scratch)  # wraps to a huge value where target < p
    np.minimum(target, scratch, out=target)


def evaluate(coefficients: Elements, points: Elements) -> Elements:
    """(n, rows): at n points every polynomial, a row of (rows, degree + 1) coefficients, constant first."""
    result = np.zeros((len(points), len(coefficients)), np.uint64)
    size = max(1, _BLOCK // max(1, len(coefficients)))
    for start in range(0, len(points), size):
        block = points[start : start + size]
        powers = _powers(block, coefficients.shape[1])
        for first in range(0, coefficients.shape[1], _TERMS):
            part = _product(powers[:, first : first + _TERMS], coefficients[:, first : first + _TERMS].T)
            result[start : start + size] = add(result[start : start + size], part)
    return result


def _powers(points: Elements, count: int) -> Elements:
    """(n, count): the powers of every point from the zeroth on, by doubling."""
    powers = np.ones((len(points), count), np.uint64)
    known = 1
    top = points
    while known < count:
        width = min(known, count - known)
        powers[:, known : known + width] = multiply(powers[:, :width], top[:, None])
        known += width
        top = multiply(top, top)
    return powers


def _limbs(values: Elements) -> list[NDArray[np.float64]]:
    """Three limbs of 21 bits, as floating point numbers, lowest first."""
    return [((values >> np.uint64(shift)) & _LOW21).astype(np.float64) for shift in (0, 21, 42)]


def _product(left: Elements, right: Elements) -> Elements:
    """The matrix product of (n, k) and (k, m) for k of at most _TERMS.

    Exact in floating point: products of two limbs are below 2^42, and 3·512 of them sum to less than 2^53. The sums
    are put together from the highest: modulo 2^61 − 1, total·2^21 = (total mod 2^40)·2^21 + ⌊total / 2^40⌋, which with
    the next sum is below 2^61 + 2^22 + 2^53 and so never wraps.
    """
    a, b = _limbs(left), _limbs(right)
    sums = [np.sum([a[i] @ b[k - i] for i in range(3) if 0 <= k - i < 3], axis=0) for k in range(5)]
    total = np.zeros(sums[0].shape, np.uint64)
    for column in reversed(sums):
        total = ((total & _LOW40) << _S21) + (total >> _S40) + column.astype(np.uint64)
        total = (total & _P) + (total >> _S61)
    return np.where(total >= _P, total - _P, total)


def words(stream: Callable[[int], bytes], about: int) -> Iterator[int]:
    """The uniform field elements read from an extendable output; `about` is how many will be used."""
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
