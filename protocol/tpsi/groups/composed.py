"""The protocol's batch operations, composed of a group's single ones: for a library that has no pass of its own."""

from typing import Final

import numpy as np

from tpsi.groups.base import Group, Rows
from tpsi.groups.rows import pair_count, require_rows

#: Rows at a time: enough to spread the cost of a call, few enough to stay in the processor's cache.
CHUNK: Final = 4096


class Composed:
    """To inherit from, next to implementing the rest of `Group`."""

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
