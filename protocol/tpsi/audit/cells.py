"""What an auditor recomputes about a table's cells, without the server's word (specification, section 15.3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tpsi import merkle
from tpsi.audit.errors import AuditError, Reason
from tpsi.audit.sums import CellWeights, Sum, pieces
from tpsi.errors import ElementError
from tpsi.groups import Group, Rows
from tpsi.manifest import Manifest
from tpsi.secret import Secret
from tpsi.table import FuseGeometry, Layout, Progress, fill_elements, lay_out


def check_size(manifest: Manifest, cells: Rows) -> None:
    """AuditError unless there are as many cells as the manifest gives, of the suite's size."""
    expected = manifest.geometry.cells, manifest.group.element_size
    if cells.shape != expected or cells.dtype != np.uint8:
        raise AuditError(
            Reason.TABLE_SIZE,
            f"the table is to have {expected[0]} cells of {expected[1]} octets, this one has {cells.shape}",
        )


def check_digest(manifest: Manifest, cells: Rows, progress: Progress) -> None:
    """AuditError unless the cells are those whose digest tree the manifest names."""
    octets, leaves = cells.reshape(-1), []
    for start, stop in pieces(len(octets), merkle.CHUNK_SIZE):
        leaves.append(merkle.leaf_digest(octets[start:stop].tobytes()))
        progress("reading the table", stop, len(octets))
    if merkle.root(leaves) != manifest.root:
        raise AuditError(Reason.TABLE_DIGEST, "the table is not the one whose digest the manifest gives")


def place(manifest: Manifest, items: Sequence[bytes]) -> Layout:
    """The canonical layout, from list and seed alone; AuditError if the seed does not place every item."""
    layout = lay_out(manifest.encoding, items, manifest.seed)
    if layout is None:
        raise AuditError(
            Reason.SEED, "the table's seed does not place every hash of this list: it was built from another"
        )
    return layout


def touched(layout: Layout) -> NDArray[np.int64]:
    """(n, k): the cells whose sum is to be V_x: three of a fuse table; of a cuckoo table the one assigned to x."""
    return layout.positions if isinstance(layout.geometry, FuseGeometry) else layout.assigned[:, None]


def weigh(group: Group, cells: Rows, weights: CellWeights, fill: "Fill", progress: Progress) -> Rows:
    """(1, element_size): Σ W_c·T[c]; AuditError if a cell is not valid, or is to be fill and is not."""
    total = Sum(group)
    for start, stop in pieces(len(cells)):
        batch = np.ascontiguousarray(cells[start:stop])
        fill.check(batch, start)
        if not batch.any(axis=1).all():
            _refuse_cell(group, batch, start)
        try:
            total.add(weights.of(start, stop), batch)
        except ElementError:
            _refuse_cell(group, batch, start)
        progress("weighing cells", stop, len(cells))
    return total.value


class Fill:
    """The cells that canonical peeling leaves without an item, and the key that is said to give them."""

    def __init__(self, group: Group, layout: Layout, key: Secret) -> None:
        self._group = group
        self._key = key
        self._is_fill = np.ones(layout.geometry.cells, np.bool_)
        self._is_fill[layout.assigned] = False

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._is_fill.sum())

    def check(self, batch: Rows, start: int) -> None:
        """AuditError unless those of the cells from `start` on that are fill are F(key, c)."""
        inside = np.flatnonzero(self._is_fill[start : start + len(batch)])
        if not len(inside):
            return
        expected = fill_elements(self._group, self._key, (inside + start).tolist())
        wrong = np.flatnonzero((batch[inside] != expected).any(axis=1))
        if len(wrong):
            cell = start + int(inside[wrong[0]])
            raise AuditError(
                Reason.FILL_CELL, f"cell {cell} holds no hash of the list, and is not fill: something hides there"
            )


def _refuse_cell(group: Group, batch: Rows, start: int) -> None:
    cell = start + int(np.flatnonzero(~group.valid(batch))[0])
    raise AuditError(Reason.INVALID_CELL, f"cell {cell} is not a valid element")
