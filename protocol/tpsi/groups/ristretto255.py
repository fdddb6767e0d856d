"""ristretto255 with SHA-512 (RFC 9496; hash to group by RFC 9380, appendix B), computed by libsodium."""

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import ElementError
from tpsi.groups import sodium
from tpsi.groups.base import Rows
from tpsi.groups.composed import Composed
from tpsi.groups.expand import expand_message_xmd
from tpsi.groups.rows import join_rows, pair_count, require_rows
from tpsi.groups.scalars255 import NOT_AN_ELEMENT, SIZE, WIDE, Scalars255


class Ristretto255(Scalars255, Composed):
    """Implements `Group`. Every operation is one call of libsodium a row, on addresses inside the arrays.

    Four habits of libsodium end here. Version 1.0.18, which `rbcl` brings, ignores the top bit of an
    encoding, where RFC 9496 (section 4.3.1) has a decoder refuse one that is set, and that of a scalar. It takes
    the identity for a valid element. And it has one status for "invalid encoding" and "the result is the identity":
    these are told apart by a second look at the rows concerned, of which an honest run has none.

    A call lets go of the interpreter's lock. So batches in several threads run side by side, but beside a
    thread that is busy in Python every row waits `sys.getswitchinterval()`: put such work in another process.
    """

    backend = "library"
    engine = "libsodium"

    def hash_to_group(self, messages: Sequence[bytes], dst: bytes) -> Rows:
        """ristretto255_XMD:SHA-512_R255MAP_RO_."""
        uniform = join_rows([expand_message_xmd(m, dst, WIDE, "sha512") for m in messages], WIDE)
        elements = _empty(len(uniform))
        _run(sodium.from_hash, elements, _addresses(uniform))
        return elements

    def valid(self, elements: Rows) -> NDArray[np.bool_]:
        """See `Group.valid`."""
        elements = require_rows(elements, SIZE, "elements")
        accepted = np.fromiter(map(sodium.is_valid_point, _addresses(elements)), np.bool_, len(elements))
        return accepted & ~_top_bits(elements) & elements.any(axis=1)

    def scalars_from_wide(self, wide: Rows) -> Rows:
        """64 octets a row, little-endian, modulo the order."""
        wide = require_rows(wide, WIDE, "wide scalars")
        scalars = _empty(len(wide))
        _run(sodium.scalar_reduce, scalars, _addresses(wide))
        return scalars

    def multiply(self, scalars: Rows, elements: Rows) -> Rows:
        """See `Group.multiply`; a scalar that is not below the order raises CallerError."""
        scalars = self.reduced(scalars)
        elements = _operands(elements)
        count = pair_count(scalars, elements)
        products = _empty(count)
        failed = _run(sodium.multiply, products, _repeated(scalars, count), _repeated(elements, count))
        if len(failed):
            _require_accepted(elements if len(elements) == 1 else elements[failed])
            products[failed] = 0
        return products

    def multiply_untrusted(self, scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.multiply_untrusted`."""
        scalars, elements = self.reduced(scalars), require_rows(elements, SIZE, "elements")
        count = pair_count(scalars, elements)
        products = _empty(count)
        accepted = ~_top_bits(elements) & elements.any(axis=1)
        failed = _run(sodium.multiply, products, _repeated(scalars, count), _repeated(elements, count))
        products[failed] = 0
        accepted[failed] &= self.valid(elements[failed])  # a product with zero is the identity: no fault of the element
        products[~accepted] = 0
        return products, accepted

    def multiply_base(self, scalars: Rows) -> Rows:
        """See `Group.multiply_base`; a scalar that is not below the order raises CallerError."""
        scalars = self.reduced(scalars)
        products = _empty(len(scalars))
        products[_run(sodium.multiply_base, products, _addresses(scalars))] = 0
        return products

    def add(self, left: Rows, right: Rows) -> Rows:
        """See `Group.add`."""
        return _combine(sodium.add, left, right)

    def add_untrusted(self, left: Rows, right: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.add_untrusted`."""
        left, right = require_rows(left, SIZE, "elements"), require_rows(right, SIZE, "elements")
        sums = _empty(len(left))
        accepted = ~(_top_bits(left) | _top_bits(right))
        accepted[_run(sodium.add, sums, _addresses(left), _addresses(right))] = False
        sums[~accepted] = 0
        return sums, accepted

    def subtract(self, left: Rows, right: Rows) -> Rows:
        """See `Group.subtract`."""
        return _combine(sodium.subtract, left, right)


def _combine(function: sodium.Function, left: Rows, right: Rows) -> Rows:
    left, right = _operands(left), _operands(right)
    count = pair_count(left, right)
    results = _empty(count)
    if len(_run(function, results, _repeated(left, count), _repeated(right, count))):
        raise ElementError(NOT_AN_ELEMENT)
    return results


def _operands(elements: Rows) -> Rows:
    """Rows that libsodium may be asked to decode: it checks all but the top bit."""
    elements = require_rows(elements, SIZE, "elements")
    if _top_bits(elements).any():
        raise ElementError(NOT_AN_ELEMENT)
    return elements


def _top_bits(elements: Rows) -> NDArray[np.bool_]:
    return elements[:, -1] >= 0x80


def _empty(count: int) -> Rows:
    return np.empty((count, SIZE), dtype=np.uint8)


def _addresses(rows: Rows) -> range:
    """The address of every row; the array must outlive their use."""
    start, width = rows.ctypes.data, rows.shape[1]
    return range(start, start + len(rows) * width, width)


def _repeated(rows: Rows, count: int) -> Iterable[int]:
    """Addresses for `count` operations: a single row is repeated."""
    return _addresses(rows) if len(rows) == count else repeat(rows.ctypes.data, count)


def _run(function: sodium.Function, results: Rows, *arguments: Iterable[int]) -> NDArray[np.intp]:
    """Call `function` for every row of `results`; gives the indices of the calls with a non-zero status."""
    statuses = map(function, _addresses(results), *arguments)
    return np.flatnonzero(np.fromiter(statuses, np.intc, len(results)))


def _require_accepted(elements: Rows) -> None:
    """ElementError unless libsodium decodes every row, be it to the identity."""
    if not all(map(sodium.is_valid_point, _addresses(elements))):
        raise ElementError(NOT_AN_ELEMENT)
