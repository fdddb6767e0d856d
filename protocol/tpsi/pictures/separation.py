"""Separation: that no picture's probes can hold two hashes of a list (specification, sections 10.4 and 14.4).

Whoever has the list can check it, so an auditor needs nobody's word for it.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.groups import Rows

Places = NDArray[np.int64]

#: Pairs of neighbours that a search returns at most. A list of a million unrelated hashes has a handful.
MAX_PAIRS = 20_000_000
#: Pairs that a search compares at most: some minutes' work, ten times that for a million unrelated hashes.
MAX_COMPARED = 4_000_000_000
#: Pairs compared at a time: enough to vectorise, few enough to hold.
_STEP = 1 << 20
#: A key and the number of its row are sorted as one number.
_KEY_BITS = 64
#: Comparing as many pairs takes about as long as sorting the whole list once.
_PAIRS_FOR_A_SORT = 20


def neighbours(digests: Rows, within: int) -> Places:
    """All pairs of rows (i < j) that differ in at most `within` bits, (m, 2), in ascending order.

    Digests have shape (n, size). They are cut into `within` + k parts: two neighbours differ in at most `within` of
    them, so in some choice of k parts they are alike. For every such choice the rows are sorted by these parts, and
    those that are alike in them are compared. Raises CallerError for a list that was flooded with variants, so
    that there are more than MAX_PAIRS, or more than MAX_COMPARED to compare.
    """
    count, size = digests.shape
    if count < 2 or within < 1:
        return np.zeros((0, 2), np.int64)
    alike = _parts_alike(count, 8 * size, within)
    parts = _parts(digests, within + alike, (_KEY_BITS - count.bit_length()) // alike)
    found: list[Places] = []
    compared = 0
    for chosen in combinations(parts, alike):
        keys = np.zeros(count, np.uint64)
        for part, width in chosen:
            keys = keys << np.uint64(width) | part
        for pairs in _alike(keys):
            near = np.sort(pairs[_distances(digests, pairs) <= within], axis=1)
            found.append(near[:, 0] * count + near[:, 1])
            compared += len(pairs)
            if compared > MAX_COMPARED:
                raise CallerError("the list holds too many hashes that share parts; which source floods it?")
        found = [np.unique(np.concatenate(found))] if found else []
        if found and len(found[0]) > MAX_PAIRS:
            raise CallerError("the list holds millions of variants of the same hashes; which source floods it?")
    every = found[0] if found else np.zeros(0, np.int64)
    return np.stack([every // count, every % count], axis=1)


def dropped(pairs: Places, order: Sequence[int] | Places) -> dict[int, int]:
    """Which rows to drop so that no pair is left, and the row that each of them gives way to.

    Rows are gone through in `order`; each is kept unless a neighbour of it was.
    """
    beside: dict[int, list[int]] = {}
    for one, other in pairs.tolist():
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    kept: set[int] = set()
    gone: dict[int, int] = {}
    for place in order:
        near = beside.get(int(place))
        if near is None:
            continue
        stronger = [other for other in near if other in kept]
        if stronger:
            gone[int(place)] = stronger[0]
        else:
            kept.add(int(place))
    return gone


def _parts_alike(count: int, bits: int, within: int) -> int:
    """How many parts to demand alike: more of them make fewer rows alike by chance, but more choices to sort by."""

    def cost(alike: int) -> float:
        parts = within + alike
        by_chance = count / 2 ** (bits * alike / parts)  # rows alike to one row
        return comb(parts, alike) * (log2(count) + _PAIRS_FOR_A_SORT * by_chance / 2)

    return min(range(1, 5), key=cost)


def _parts(digests: Rows, count: int, widest: int) -> list[tuple[NDArray[np.uint64], int]]:
    """The bits of every row cut into `count` parts, as numbers, with their widths; of wider parts `widest` bits."""
    bits = np.unpackbits(digests, axis=1)
    edges = np.linspace(0, bits.shape[1], count + 1).astype(int).tolist()
    found: list[tuple[NDArray[np.uint64], int]] = []
    for start, end in pairwise(edges):
        width = min(end - start, widest)
        part = np.zeros(len(bits), np.uint64)
        for place in range(start, start + width):
            part = part << np.uint64(1) | bits[:, place]
        found.append((part, width))
    return found


def _alike(keys: NDArray[np.uint64]) -> Iterator[Places]:
    """Pairs of rows with equal keys, some at a time: of each run of equal keys the neighbours at every distance."""
    shift = np.uint64(len(keys).bit_length())
    ordered = np.sort(keys << shift | np.arange(len(keys), dtype=np.uint64))
    order = (ordered & (np.uint64(1) << shift) - np.uint64(1)).astype(np.int64)
    ordered >>= shift
    apart, left = 1, np.flatnonzero(ordered[1:] == ordered[:-1])
    while len(left):
        for start in range(0, len(left), _STEP):
            some = left[start : start + _STEP]
            yield np.stack([order[some], order[some + apart]], axis=1)
        apart += 1
        left = left[left + apart < len(order)]
        left = left[ordered[left] == ordered[left + apart]]


def _distances(digests: Rows, pairs: Places) -> NDArray[np.int64]:
    difference = digests[pairs[:, 0]] ^ digests[pairs[:, 1]]
    counted: NDArray[np.int64] = np.bitwise_count(difference).sum(axis=1, dtype=np.int64)
    return counted
