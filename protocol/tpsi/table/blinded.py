"""A blinded table as a device sees it: cells, and the candidates they give for an item (specification, section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.groups import Group, Rows
from tpsi.table.geometry import SEED_SIZE, Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The outcome of looking up n items.

    `elements` (n, c, element_size); `good` (n, c): False marks a bad candidate, whose element is to be
    ignored: from an invalid cell, the identity, or a repetition of an earlier candidate of the same item.
    """

    elements: Rows
    good: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class BlindedTable:
    """A table of one suite and encoding. `cells` (m, element_size) may be memory-mapped: a lookup reads what it needs.

    The constructor checks shapes, not content: a cell is checked when it is read.
    """

    group: Group
    geometry: Geometry
    seed: bytes
    cells: Rows

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise CallerError(f"a table's seed has {SEED_SIZE} octets")
        if self.cells.shape != (self.geometry.cells, self.group.element_size) or self.cells.dtype != np.uint8:
            raise CallerError(
                f"the cells of this table are {self.geometry.cells} rows of {self.group.element_size} octets, "
                f"not {self.cells.shape} of {self.cells.dtype}"
            )

    def read(self, items: Sequence[bytes]) -> Rows:
        """(n, arity, element_size): the cells of every encoded item hash, whatever is in them."""
        positions = self.geometry.positions(items, self.seed)
        read = np.ascontiguousarray(self.cells[positions.ravel()])
        return read.reshape(len(items), self.geometry.arity, self.group.element_size)

    def lookup(self, items: Sequence[bytes]) -> Candidates:
        """The candidates of every encoded item hash; never raises for the content of a cell."""
        return Candidates(*self.group.candidates(self.read(items), self.geometry.candidates))
