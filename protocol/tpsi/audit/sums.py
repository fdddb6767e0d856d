"""Weighted sums in pieces: no more than a batch of elements is in memory at once (specification, section 15.2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tpsi.audit.transcript import WEIGHT_SIZE
from tpsi.groups import Group, Rows

#: Items or cells that are worked on at once. Larger batches serve a native core a little better, and cost memory.
BATCH = 8192
_LIMBS = WEIGHT_SIZE // 4
_LOW = np.uint64(2**32 - 1)
_32 = np.uint64(32)


class Sum:
    """A sum of multiples of elements, piece by piece."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self.value: Rows = np.zeros((1, group.element_size), np.uint8)

    def add(self, weights: Rows, elements: Rows) -> None:
        """Add weight times element for every row; weights are big-endian octets. ElementError for what is none."""
        weighted = self._group.weighted_sum(scalars_of(self._group, weights), elements)
        self.value = self._group.add(self.value, weighted)


def scalars_of(group: Group, big_endian: Rows) -> Rows:
    """(n, scalar_size): rows of fewer octets, read as big-endian integers, in the suite's byte order."""
    scalars = np.zeros((len(big_endian), group.scalar_size), np.uint8)
    width = big_endian.shape[1]
    if group.encode_scalars([1])[0, 0]:  # little-endian
        scalars[:, :width] = big_endian[:, ::-1]
    else:
        scalars[:, -width:] = big_endian
    return scalars


class CellWeights:
    """For every cell the sum of the weights of the items that touch it.

    Σ_i w_i·lookup(x_i) is Σ_c W_c·T[c], with W_c the sum of the w_i whose lookup reads cell c: so nobody computes a
    lookup. Sums are kept in four limbs of 32 bits, in words that 2^32 additions don't fill.
    """

    def __init__(self, cells: int) -> None:
        self._limbs = np.zeros((_LIMBS, cells), np.uint64)

    def add(self, weights: Rows, touched: NDArray[np.int64]) -> None:
        """Add the weight (n, 16) of each item to the cells (n, k) that it touches."""
        limbs = np.ascontiguousarray(weights).view(">u4").astype(np.uint64)
        for column in touched.T:
            for limb in range(_LIMBS):
                np.add.at(self._limbs[limb], column, limbs[:, limb])

    def of(self, start: int, stop: int) -> Rows:
        """(stop − start, 20): the sums of some cells, big-endian; 20 octets hold any sum that can arise."""
        words = np.zeros((stop - start, _LIMBS + 1), ">u4")
        carry = np.zeros(stop - start, np.uint64)
        for limb in reversed(range(_LIMBS)):
            total = self._limbs[limb, start:stop] + carry
            words[:, limb + 1] = total & _LOW
            carry = total >> _32
        words[:, 0] = carry
        return words.view(np.uint8)


def pieces(total: int, size: int = BATCH) -> Sequence[tuple[int, int]]:
    """(start, stop) of every batch."""
    return [(start, min(start + size, total)) for start in range(0, total, size)]
