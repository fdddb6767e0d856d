"""Canonical peeling: which cell each item is assigned, whatever the order of the list (specification, section 4.1)."""

from dataclasses import dataclass

import numpy as np

from tpsi.table.geometry import Places, Positions, numbers_below

_NONE = -1
#: Edges that are counted together, so that scratch stays small beside the graph.
_BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class Peeling:
    """The outcome for one seed.

    `cell` (n,): the cell assigned to each item, or -1 for the items that remain; `rounds`: the items that each round
    removed, in ascending order of their cells.
    """

    cell: Places
    rounds: tuple[Places, ...]

    @property
    def remaining(self) -> Places:
        """The items that peeling did not reach."""
        return np.flatnonzero(self.cell == _NONE)


def peel(positions: Positions, cells: int) -> Peeling:
    """Peel the hypergraph whose edges are the rows of `positions`.

    Every cell keeps its degree and the sum of the numbers of its edges, so that a cell of degree one names its edge. A
    round is a handful of array operations on the cells that the last one touched. Sums wrap around, which a later
    subtraction undoes.
    """
    items, arity = positions.shape
    assigned = np.full(items, _NONE, positions.dtype)
    degree, edges = np.zeros(cells, np.int32), np.zeros(cells, numbers_below(items))
    for start in range(0, items, _BATCH):
        part = positions[start : start + _BATCH]
        numbers = np.arange(start, start + len(part), dtype=edges.dtype)
        np.add.at(degree, part.ravel(), np.int32(1))
        np.add.at(edges, part.ravel(), np.repeat(numbers, arity))
    rounds: list[Places] = []
    touched = np.flatnonzero(degree == 1)
    while len(free := touched[degree[touched] == 1]):
        # np.unique keeps the first, hence the lowest, free cell of an edge that has several.
        removed, first = np.unique(edges[free], return_index=True)
        chosen = free[first]
        assigned[removed] = chosen
        rounds.append(removed[np.argsort(chosen)])
        left = positions[removed].ravel()
        np.subtract.at(degree, left, np.int32(1))
        np.subtract.at(edges, left, np.repeat(removed, arity))
        touched = np.unique(left)
    return Peeling(assigned, tuple(rounds))


def orient_cycles(peeling: Peeling, positions: Positions) -> Places | None:
    """Assign the items that peeling left in a cuckoo graph, or None if they are not disjoint cycles.

    Items are numbered in ascending order of their encodings. In each cycle the lowest cell takes, of its two items, the
    one of lower number; that item's other cell takes its other item, and so on around.
    """
    assigned = peeling.cell.copy()
    remaining = peeling.remaining
    around: dict[int, list[int]] = {}
    for item in remaining.tolist():
        for cell in positions[item].tolist():
            around.setdefault(cell, []).append(item)
    if any(len(items) != 2 for items in around.values()):
        return None
    done: set[int] = set()
    for start in sorted(around):
        cell, item = start, min(around[start])
        while cell not in done:
            done.add(cell)
            assigned[item] = cell
            low, high = positions[item].tolist()
            cell = high if cell == low else low
            first, second = around[cell]
            item = second if item == first else first
    return assigned
