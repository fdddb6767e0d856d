"""The protocol's batch operations, composed of a group's single ones: for a library that has no pass of its own."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tpsi.groups.base import Done, Equations, Group, Probed, Rows, Slots
from tpsi.groups.rows import pair_count, require_rows

#: Rows at a time: enough to spread the cost of a call, few enough to stay in the processor's cache.
CHUNK: Final = 4096


class Composed:
    """To inherit from, next to implementing the rest of `Group`."""

    def blind(self: Group, scalar: Rows, messages: Sequence[bytes], dst: bytes) -> Rows:
        """See `Group.blind`."""
        return self.multiply(scalar, self.hash_to_group(messages, dst))

    def candidates(self: Group, cells: Rows, count: int) -> tuple[Rows, NDArray[np.bool_]]:
        """See `Group.candidates`."""
        return _sum_of_three(self, cells) if count == 1 else _each_of_two(self, cells)

    def seal(self: Group, probed: Probed, betas: Rows, gammas: Rows, key: Rows) -> Slots:
        """See `Group.seal`."""
        points, good = self.candidates(probed.cells, betas.shape[1])
        chosen = good.ravel()
        b, g = (scalars.reshape(-1, self.scalar_size) for scalars in (betas, gammas))
        q, s = self.multiply_base(g), np.zeros((len(g), self.element_size), np.uint8)
        hashed = self.hash_to_group(probed.messages, probed.dst)[np.flatnonzero(chosen) // betas.shape[1]]
        q[chosen] = self.add(self.multiply(b[chosen], hashed), q[chosen])
        looked_up = points.reshape(-1, self.element_size)[chosen]
        s[chosen] = self.add(self.multiply(b[chosen], looked_up), self.multiply(g[chosen], key))
        return Slots(q.reshape(points.shape), s.reshape(points.shape), good)

    def solve(self: Group, cells: Rows, equations: Equations, done: Done) -> None:
        """See `Group.solve`."""
        own, others, rounds = equations
        for start, end in pairwise(np.cumsum([0, *rounds]).tolist()):
            for first in range(start, end, CHUNK):
                part = slice(first, min(first + CHUNK, end))
                difference = self.subtract(cells[own[part]], cells[others[part, 0]])
                cells[own[part]] = self.subtract(difference, cells[others[part, 1]])
            done(end, len(own))

    def weighted_sum(self: Group, scalars: Rows, elements: Rows) -> Rows:
        """See `Group.weighted_sum`."""
        scalars = require_rows(scalars, self.scalar_size, "scalars")
        elements = require_rows(elements, self.element_size, "elements")
        count = pair_count(scalars, elements)
        total = np.zeros((1, self.element_size), np.uint8)
        for start in range(0, max(count, 1), CHUNK):
            part = slice(start, start + CHUNK)
            left, right = (rows if len(rows) != count else rows[part] for rows in (scalars, elements))
            total = self.add(total, _total(self, self.multiply(left, right)))
        return total


def _total(group: Group, elements: Rows) -> Rows:
    """(1, element_size): the sum of all rows, halving their number at each step."""
    while len(elements) > 1:
        half = len(elements) // 2
        odd = elements[2 * half :]
        elements = np.concatenate([group.add(elements[:half], elements[half : 2 * half]), odd])
    return elements if len(elements) else np.zeros((1, group.element_size), np.uint8)


def _sum_of_three(group: Group, cells: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The additions decode every cell, so they tell the invalid ones too; only the identity passes there."""
    present: NDArray[np.bool_] = np.all(np.any(cells, axis=2), axis=1)
    partial, accepted = group.add_untrusted(cells[:, 0], cells[:, 1])
    total, accepted_too = group.add_untrusted(partial, cells[:, 2])
    good: NDArray[np.bool_] = present & accepted & accepted_too & total.any(axis=1)
    return total[:, None, :], good[:, None]


def _each_of_two(group: Group, cells: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    sound = group.valid(cells.reshape(-1, group.element_size)).reshape(cells.shape[:2])
    repeated: NDArray[np.bool_] = np.all(cells[:, 0] == cells[:, 1], axis=1)
    return cells, np.stack([sound[:, 0], sound[:, 1] & ~repeated], axis=1)
