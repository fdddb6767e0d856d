"""ristretto255 by the native core, the distribution `tpsi-native`: a batch is one call, outside of the interpreter."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import tpsi_native as core
from numpy.typing import NDArray

from tpsi.errors import CallerError, ElementError
from tpsi.groups.base import Done, Equations, Probed, Rows, Slots
from tpsi.groups.composed import Composed
from tpsi.groups.rows import pair_count, require_rows
from tpsi.groups.scalars255 import NOT_AN_ELEMENT, NOT_REDUCED, SIZE, WIDE, Scalars255


class NativeRistretto255(Scalars255, Composed):
    """Implements `Group`. All that computes with secrets runs in constant time, and wipes its own copies of them.

    Every method checks shapes and types, the core the octets.
    """

    backend = "native"

    def __init__(self) -> None:
        self.engine = core.engine()

    def hash_to_group(self, messages: Sequence[bytes], dst: bytes) -> Rows:
        """ristretto255_XMD:SHA-512_R255MAP_RO_."""
        with _refusals():
            return core.hash_to_group(messages, dst)

    def valid(self, elements: Rows) -> NDArray[np.bool_]:
        """See `Group.valid`."""
        elements = _elements(elements)
        return core.valid(elements) & elements.any(axis=1)

    def scalars_from_wide(self, wide: Rows) -> Rows:
        """64 octets a row, little-endian, modulo the order."""
        return core.scalars_from_wide(require_rows(wide, WIDE, "wide scalars"))

    def multiply(self, scalars: Rows, elements: Rows) -> Rows:
        """See `Group.multiply`; a scalar that is not below the order raises CallerError."""
        elements = _elements(elements)
        products, accepted = self._multiply(scalars, elements)
        if not accepted.all() or (not len(products) and not core.valid(elements).all()):
            raise ElementError(NOT_AN_ELEMENT)
        return products

    def multiply_untrusted(self, scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.multiply_untrusted`."""
        elements = _elements(elements)
        products, accepted = self._multiply(scalars, elements)
        return products, accepted & elements.any(axis=1)

    def multiply_base(self, scalars: Rows) -> Rows:
        """See `Group.multiply_base`; a scalar that is not below the order raises CallerError."""
        with _refusals():
            return core.multiply_base(_scalars(scalars))

    def add(self, left: Rows, right: Rows) -> Rows:
        """See `Group.add`."""
        return _combine(left, right, subtract=False)

    def add_untrusted(self, left: Rows, right: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.add_untrusted`."""
        return core.combine(_elements(left), _elements(right), False)

    def subtract(self, left: Rows, right: Rows) -> Rows:
        """See `Group.subtract`."""
        return _combine(left, right, subtract=True)

    def blind(self, scalar: Rows, messages: Sequence[bytes], dst: bytes) -> Rows:
        """See `Group.blind`."""
        with _refusals():
            return core.blind(_scalars(scalar), messages, dst)

    def seal(self, probed: Probed, betas: Rows, gammas: Rows, key: Rows) -> Slots:
        """See `Group.seal`."""
        shape = (len(probed.messages), betas.shape[1], SIZE)
        cells, b, g = (np.ascontiguousarray(rows).reshape(-1, SIZE) for rows in (probed.cells, betas, gammas))
        with _refusals():
            q, s, good = core.seal(probed.messages, probed.dst, cells, shape[1] == 1, b, g, _elements(key))
        return Slots(q.reshape(shape), s.reshape(shape), good.reshape(shape[:2]))

    def solve(self, cells: Rows, equations: Equations, done: Done) -> None:
        """See `Group.solve`."""
        own, others = (np.ascontiguousarray(places, np.uint32) for places in equations[:2])  # at most 2^31.2 cells
        with _refusals():
            core.solve(cells, own, others, done)

    def weighted_sum(self, scalars: Rows, elements: Rows) -> Rows:
        """See `Group.weighted_sum`."""
        scalars, elements = _scalars(scalars), _elements(elements)
        pair_count(scalars, elements)
        with _refusals():
            return core.weighted_sum(scalars, elements)

    def _multiply(self, scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        scalars = _scalars(scalars)
        pair_count(scalars, elements)
        with _refusals():
            return core.multiply(scalars, elements)


def _elements(rows: Rows) -> Rows:
    return require_rows(rows, SIZE, "elements")


def _scalars(rows: Rows) -> Rows:
    return require_rows(rows, SIZE, "scalars")


def _combine(left: Rows, right: Rows, *, subtract: bool) -> Rows:
    left, right = _elements(left), _elements(right)
    pair_count(left, right)
    results, accepted = core.combine(left, right, subtract)
    if not accepted.all():
        raise ElementError(NOT_AN_ELEMENT)
    return results


@contextmanager
def _refusals() -> Iterator[None]:
    """The core's errors as those of the library."""
    try:
        yield
    except core.ScalarError:
        raise CallerError(NOT_REDUCED) from None
    except core.ElementError:
        raise ElementError(NOT_AN_ELEMENT) from None
    except ValueError as error:
        raise CallerError(f"the native core refuses: {error}") from None
