"""Sizes and positions of both table encodings: which cells an item has (specification, sections 4.2 and 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tpsi.bulk import hash_many
from tpsi.errors import CallerError
from tpsi.labels import Label

#: Numbers of cells or items: of 32 bits, as nearly always, where they fit, else of 64 (`numbers_below`).
Places: TypeAlias = NDArray[np.signedinteger[Any]]
#: (n, arity): the cells of n items.
Positions: TypeAlias = Places

SEED_SIZE = 32
#: More would not fit the 32-bit segment arithmetic below, nor any list that exists.
MAX_ITEMS = 2**31
#: Items whose positions are computed together.
_BATCH = 1 << 16
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_LOW32 = np.uint64(2**32 - 1)
_S32 = np.uint64(32)


def _scaled(values: NDArray[np.uint64], factor: int) -> NDArray[np.int64]:
    """⌊value · factor / 2^64⌋ for a factor below 2^32, without a 128-bit product."""
    f = np.uint64(factor)
    upper, lower = values >> _S32, values & _LOW32
    return ((upper * f + ((lower * f) >> _S32)) >> _S32).astype(np.int64)


def numbers_below(bound: int) -> type[np.signedinteger[Any]]:
    """The type for numbers below a bound."""
    return np.int32 if bound <= 2**31 else np.int64


def _digests(items: Sequence[bytes], seed: bytes, label: Label) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The two little-endian halves (a, b) of the 16-octet position hash of every item."""
    halves = hash_many(16, seed, label, items).view("<u8").astype(np.uint64)
    return halves[:, 0], halves[:, 1]


def _check_count(items: int) -> None:
    if not 0 <= items <= MAX_ITEMS:
        raise CallerError(f"a table holds 0 to {MAX_ITEMS} items, not {items}")


@dataclass(frozen=True, slots=True)
class FuseGeometry:
    """A 3-wise binary fuse structure (Graf and Lemire, 2022): `segments` + 2 segments of `segment_length` cells."""

    items: int
    segment_length: int
    segments: int

    encoding: ClassVar[str] = "fuse"
    arity: ClassVar[int] = 3
    candidates: ClassVar[int] = 1

    @classmethod
    def of(cls, items: int) -> "FuseGeometry":
        """The geometry that the published formula gives for `items` items, with exact logarithms."""
        _check_count(items)
        if items == 0:
            return cls(0, 4, 1)
        log = _EXACT.ln(Decimal(items))
        exponent = _EXACT.add(_EXACT.divide(log, _EXACT.ln(Decimal("3.33"))), Decimal("2.25"))
        length: int = 2 ** min(18, int(exponent))
        capacity = 0
        if items > 1:
            factor = Decimal("0.875") + _EXACT.divide(Decimal("0.25") * _EXACT.ln(Decimal(10**6)), log)
            capacity = round(_EXACT.multiply(items, max(Decimal("1.125"), factor)))
        return cls(items, length, max(1, -(-capacity // length) - 2))

    @property
    def cells(self) -> int:
        """The table's size in cells."""
        return (self.segments + 2) * self.segment_length

    def positions(self, items: Sequence[bytes], seed: bytes) -> Positions:
        """(n, 3): three distinct cells for every encoded item."""
        return _in_batches(self, items, seed)

    def _columns(self, items: Sequence[bytes], seed: bytes) -> list[NDArray[np.int64]]:
        a, b = _digests(items, seed, Label.POSITION_FUSE)
        first = _scaled(a, self.segments)
        mask = np.uint64(self.segment_length - 1)
        return [
            (first + i) * self.segment_length + ((b >> np.uint64(21 * i)) & mask).astype(np.int64) for i in range(3)
        ]


@dataclass(frozen=True, slots=True)
class CuckooGeometry:
    """Two halves of `half` cells; an item has one cell in each and stands in one of the two."""

    items: int
    half: int

    encoding: ClassVar[str] = "cuckoo"
    arity: ClassVar[int] = 2
    candidates: ClassVar[int] = 2

    @classmethod
    def of(cls, items: int) -> "CuckooGeometry":
        """2.2 cells an item: below one half of the load at which a random graph stops being orientable."""
        _check_count(items)
        return cls(items, max(2, -(-11 * items // 10)))

    @property
    def cells(self) -> int:
        """The table's size in cells."""
        return 2 * self.half

    def positions(self, items: Sequence[bytes], seed: bytes) -> Positions:
        """(n, 2): two distinct cells for every encoded item."""
        return _in_batches(self, items, seed)

    def _columns(self, items: Sequence[bytes], seed: bytes) -> list[NDArray[np.int64]]:
        a, b = _digests(items, seed, Label.POSITION_CUCKOO)
        return [_scaled(a, self.half), self.half + _scaled(b, self.half)]


Geometry: TypeAlias = FuseGeometry | CuckooGeometry


def _in_batches(shape: Geometry, items: Sequence[bytes], seed: bytes) -> Positions:
    """The positions of all items: of a long list, with memory for little more than the result."""
    positions = np.empty((len(items), shape.arity), numbers_below(shape.cells))
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        for number, column in enumerate(shape._columns(batch, seed)):
            positions[start : start + len(batch), number] = column
    return positions


@lru_cache(maxsize=64)  # fifty digits of a logarithm take longer than the rest of a voucher
def geometry(encoding: str, items: int) -> Geometry:
    """The geometry of an encoding (`fuse` or `cuckoo`) for a number of items."""
    if encoding == FuseGeometry.encoding:
        return FuseGeometry.of(items)
    if encoding == CuckooGeometry.encoding:
        return CuckooGeometry.of(items)
    raise CallerError(f"table encoding {encoding!r} is neither fuse nor cuckoo")
