"""Probes: the hashes that a re-encoded copy of a picture likeliest has, in exact order (specification, section 14.3).

A copy's coefficients lie near the picture's, and about half of them stay above their median: so what differs is a
*balanced* set of bits, as many of them set here as not, whose coefficients were near the median. Balanced sets are
enumerated by the sum of those distances.
"""

import heapq
from collections.abc import Iterator
from itertools import islice
from math import comb

import numpy as np

from tpsi.errors import CallerError
from tpsi.pictures.coefficients import Coefficients
from tpsi.pictures.dct import GRAIN


def probes(coefficients: Coefficients, count: int) -> tuple[bytes, ...]:
    """The first `count` probes, the hash itself first, all distinct; fewer if there are no more balanced sets."""
    if count < 1:
        raise CallerError("a picture has at least one probe")
    digest = coefficients.digest()
    number = int.from_bytes(digest)
    return tuple((number ^ mask).to_bytes(len(digest)) for mask in islice(flips(coefficients), count))


def flips(coefficients: Coefficients) -> Iterator[int]:
    """All balanced sets of bits as masks over the digest, by increasing sum of distances from the median.

    A bit weighs its distance, in units that make it an integer, followed by its place in the mask. So the sum of a
    set's weights orders sets by distance, sets of equal distance by their masks, and ends in the mask itself; no
    two are equal, and a set comes after its subsets.

    A set is k places among the set bits and k among the others, both sorted by weight. The lightest set of k + 1
    contains the lightest of k; every other one has a lighter neighbour of its size, with one place lowered by one.
    A set is put on the heap when such a forerunner leaves it: in time, so that sets leave in order.
    """
    ones, zeros = _weights(coefficients)
    within = (1 << 8 * len(coefficients.digest())) - 1
    heap: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = [(0, (), ())]
    seen = {0}
    while heap:
        weight, up, down = heapq.heappop(heap)
        yield weight & within
        following = [(weight + gain, more, down) for gain, more in _raised(up, ones)]
        following += [(weight + gain, up, more) for gain, more in _raised(down, zeros)]
        size = len(up)
        lightest = tuple(range(size))
        if up == down == lightest and size < min(len(ones), len(zeros)):
            larger = (*lightest, size)
            following.append((weight + ones[size] + zeros[size], larger, larger))
        for one in following:
            if one[0] & within not in seen:
                seen.add(one[0] & within)
                heapq.heappush(heap, one)


def reach(count: int) -> int:
    """The most bits in which two of a picture's first `count` probes can differ, for any hash and any picture.

    Let F and F' be two of its sets, and m the number of bits in which they differ. Every one of the C(m, m/2) ways
    to give half of these bits to F ∩ F' so that the outcome is balanced has a counterpart with the other half, and
    the two weigh as much as F and F' together: so one of the two comes before the later of F and F'. F and F'
    are such a pair themselves, hence C(m, m/2) / 2 + 1 sets are among the first `count`.
    """
    bits = 0
    while comb(bits + 2, bits // 2 + 1) // 2 + 1 <= count:
        bits += 2
    return bits


def _weights(coefficients: Coefficients) -> tuple[list[int], list[int]]:
    """The weights of the bits that are set, and of the others; each in increasing order.

    The distance is taken from the middle between the lowest coefficient above the median and the highest other
    one. In a balanced set it cancels out.
    """
    places = 8 * len(coefficients.digest())
    grains = [int(value) for value in np.rint(coefficients.values.astype(np.float64) * GRAIN)]
    above = (coefficients.values > coefficients.threshold).tolist()
    ones = [place for place, bit in enumerate(above) if bit]
    zeros = [place for place, bit in enumerate(above) if not bit]
    if not ones or not zeros:
        return [], []
    middle = min(grains[place] for place in ones) + max(grains[place] for place in zeros)

    def weight(place: int) -> int:
        return abs(2 * grains[place] - middle) << places | 1 << places - 1 - place

    return sorted(map(weight, ones)), sorted(map(weight, zeros))


def _raised(chosen: tuple[int, ...], weights: list[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every way to raise one chosen place by one, with what it adds to the weight."""
    for index, place in enumerate(chosen):
        limit = chosen[index + 1] if index + 1 < len(chosen) else len(weights)
        if place + 1 < limit:
            yield weights[place + 1] - weights[place], (*chosen[:index], place + 1, *chosen[index + 1 :])
