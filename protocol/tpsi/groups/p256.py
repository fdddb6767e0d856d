"""NIST P-256 with SHA-256 (SEC 1 compressed points; hash to group in `sswu`), computed by pycryptodome."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np
from Crypto.Math.Numbers import Integer
from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined, unused-ignore]
from numpy.typing import NDArray

from tpsi.errors import CallerError, DecodeError, ElementError
from tpsi.groups import P256_SHA256, sswu
from tpsi.groups.base import Rng, Rows
from tpsi.groups.composed import Composed
from tpsi.groups.rows import below, draw_scalars, join_rows, pair_count, require_rows

ELEMENT: Final = 33
SCALAR: Final = 32
WIDE: Final = 48

_IDENTITY: Final = bytes(ELEMENT)
_G_X: Final = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
_G_Y: Final = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


class P256(Composed):
    """Implements `Group`. Points are decoded here, strictly; pycryptodome sees affine coordinates only.

    Its constructor takes (0, 0) for the point at infinity. Only a row of zeros, which stands for the identity
    inside a computation, becomes that point.
    """

    backend = "library"
    engine = "pycryptodome"
    suite = P256_SHA256
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    element_size = ELEMENT
    scalar_size = SCALAR
    wide_size = WIDE

    def __init__(self) -> None:
        self._generator = EccPoint(_G_X, _G_Y, "p256")

    def hash_to_group(self, messages: Sequence[bytes], dst: bytes) -> Rows:
        """P256_XMD:SHA-256_SSWU_RO_, not in constant time: see `sswu`."""
        return join_rows([_encode(_hash_to_point(message, dst)) for message in messages], ELEMENT)

    def valid(self, elements: Rows) -> NDArray[np.bool_]:
        """See `Group.valid`."""
        elements = require_rows(elements, ELEMENT, "elements")
        encodings = (row.tobytes() for row in elements)
        return np.fromiter((_coordinates(e) is not None for e in encodings), np.bool_, len(elements))

    def scalars_from_wide(self, wide: Rows) -> Rows:
        """48 octets a row, big-endian, modulo the order."""
        wide = require_rows(wide, WIDE, "wide scalars")
        return self.encode_scalars([int.from_bytes(row.tobytes(), "big") for row in wide])

    def random_scalars(self, count: int, rng: Rng) -> Rows:
        """See `Group.random_scalars`."""
        return draw_scalars(self, count, rng)

    def multiply(self, scalars: Rows, elements: Rows) -> Rows:
        """See `Group.multiply`; a scalar that is not below the order raises CallerError."""
        factors = self._integers(scalars)
        points = _decode_all(elements)
        count = pair_count(scalars, elements)
        pairs = zip(_repeated(factors, count), _repeated(points, count), strict=True)
        return join_rows([_encode(point * factor) for factor, point in pairs], ELEMENT)

    def multiply_untrusted(self, scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.multiply_untrusted`."""
        factors = self._integers(scalars)
        found = [_coordinates(row.tobytes()) for row in require_rows(elements, ELEMENT, "elements")]
        count = pair_count(scalars, elements)
        pairs = zip(_repeated(factors, count), _repeated(found, count), strict=True)
        products = [_encode(EccPoint(c[0], c[1], "p256") * f) if c else _IDENTITY for f, c in pairs]
        return join_rows(products, ELEMENT), np.array([c is not None for c in found], np.bool_)

    def multiply_base(self, scalars: Rows) -> Rows:
        """See `Group.multiply_base`; a scalar that is not below the order raises CallerError."""
        generator = self._generator
        return join_rows([_encode(generator * factor) for factor in self._integers(scalars)], ELEMENT)

    def add(self, left: Rows, right: Rows) -> Rows:
        """See `Group.add`."""
        return _sums(left, right, negate=False)

    def add_untrusted(self, left: Rows, right: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.add_untrusted`."""
        pairs = [
            [(0, 0) if e == _IDENTITY else _coordinates(e) for e in (a.tobytes(), b.tobytes())]
            for a, b in zip(left, right, strict=True)
        ]
        sums = [
            _encode(EccPoint(*a, "p256") + EccPoint(*b, "p256")) if a is not None and b is not None else _IDENTITY
            for a, b in pairs
        ]
        return join_rows(sums, ELEMENT), np.array([None not in pair for pair in pairs], np.bool_)

    def subtract(self, left: Rows, right: Rows) -> Rows:
        """See `Group.subtract`."""
        return _sums(left, right, negate=True)

    def encode_scalars(self, values: Sequence[int]) -> Rows:
        """Integers, reduced modulo the order, big-endian."""
        return join_rows([(value % self.order).to_bytes(SCALAR, "big") for value in values], SCALAR)

    def decode_scalars(self, scalars: Rows) -> list[int]:
        """See `Group.decode_scalars`."""
        scalars = require_rows(scalars, SCALAR, "scalars")
        if not below(scalars, self.order).all():
            raise DecodeError("a scalar is not below the group's order")
        return [int.from_bytes(row.tobytes(), "big") for row in scalars]

    def _integers(self, scalars: Rows) -> list[Any]:
        """pycryptodome's own integers: it hides the length of these, and not that of Python's."""
        scalars = require_rows(scalars, SCALAR, "scalars")
        if not below(scalars, self.order).all():
            raise CallerError("a scalar is not below the group's order: reduce it first")
        return [Integer.from_bytes(row.tobytes()) for row in scalars]


def _hash_to_point(message: bytes, dst: bytes) -> Any:
    first, second = (EccPoint(x, y, "p256") for x, y in sswu.hash_to_points(message, dst))
    return first + second


def _sums(left: Rows, right: Rows, *, negate: bool) -> Rows:
    left_points, right_points = _decode_all(left), _decode_all(right)
    if negate:
        right_points = [-point for point in right_points]
    count = pair_count(left, right)
    pairs = zip(_repeated(left_points, count), _repeated(right_points, count), strict=True)
    return join_rows([_encode(a + b) for a, b in pairs], ELEMENT)


def _repeated(values: list[Any], count: int) -> Any:
    return values if len(values) == count else repeat(values[0], count)


def _coordinates(encoding: bytes) -> tuple[int, int] | None:
    """Affine coordinates of a compressed point; None for whatever else, the identity among it."""
    if encoding[0] not in (2, 3):
        return None
    x = int.from_bytes(encoding[1:], "big")
    if x >= sswu.P:
        return None
    y = sswu.square_root(sswu.curve_equation(x))
    if y is None:
        return None
    return x, y if y & 1 == encoding[0] & 1 else sswu.P - y


def _decode_all(elements: Rows) -> list[Any]:
    elements = require_rows(elements, ELEMENT, "elements")
    return [_decode(row.tobytes()) for row in elements]


def _decode(encoding: bytes) -> Any:
    """The point of a row; a row of zeros is the identity. Else ElementError."""
    coordinates = (0, 0) if encoding == _IDENTITY else _coordinates(encoding)
    if coordinates is None:
        raise ElementError("a row is not the compressed encoding of a P-256 point")
    return EccPoint(*coordinates, "p256")


def _encode(point: Any) -> bytes:
    x, y = map(int, point.xy)
    if not x and not y:  # how pycryptodome writes infinity; the curve itself has no point with y = 0
        return _IDENTITY
    return bytes((2 + (y & 1),)) + x.to_bytes(32, "big")
