"""A blinded table as a device sees it: cells, and the candidates they give for an item (specification, section 4)."""

from abc import ABC, abstractmethod
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
class LookupTable(ABC):
    """A table of one suite and encoding, wherever its cells are: a lookup reads those that it needs.

    Their content is checked when they are looked up, not before.
    """

    group: Group
    geometry: Geometry
    seed: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise CallerError(f"a table's seed has {SEED_SIZE} octets")

    @abstractmethod
    def cells_at(self, positions: NDArray[np.integer]) -> Rows:
        """(n, element_size), contiguous: the cells at n positions below `geometry.cells`."""

    def read(self, items: Sequence[bytes]) -> Rows:
        """(n, arity, element_size): the cells of every encoded item hash, whatever is in them."""
        read = self.cells_at(self.geometry.positions(items, self.seed).ravel())
        return read.reshape(len(items), self.geometry.arity, self.group.element_size)

    def lookup(self, items: Sequence[bytes]) -> Candidates:
        """The candidates of every encoded item hash; never raises for the content of a cell."""
        return Candidates(*self.group.candidates(self.read(items), self.geometry.candidates))


@dataclass(frozen=True, slots=True, eq=False)
class BlindedTable(LookupTable):
    """A table in memory: `cells` (m, element_size), whose shape the constructor checks."""

    cells: Rows

    def __post_init__(self) -> None:
        LookupTable.__post_init__(self)  # `super()` does not work in a dataclass with slots
        if self.cells.shape != (self.geometry.cells, self.group.element_size) or self.cells.dtype != np.uint8:
            raise CallerError(
                f"the cells of this table are {self.geometry.cells} rows of {self.group.element_size} octets, "
                f"not {self.cells.shape} of {self.cells.dtype}"
            )

    def cells_at(self, positions: NDArray[np.integer]) -> Rows:
        """See `LookupTable.cells_at`."""
        return np.ascontiguousarray(self.cells[positions])
