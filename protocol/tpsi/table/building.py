"""Building a blinded table that holds every item of a list, or none (specification, sections 4.1 to 4.3)."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tpsi.errors import BuildError
from tpsi.groups import Equations, Group, Rng, Rows
from tpsi.items import ItemHash
from tpsi.secret import Secret
from tpsi.table.blinded import BlindedTable
from tpsi.table.blinding import TableSecrets, blind_items, fill_elements
from tpsi.table.geometry import SEED_SIZE, CuckooGeometry, Geometry, Places, geometry
from tpsi.table.packed import PackedItems, pack
from tpsi.table.peeling import Peeling, orient_cycles, peel

MAX_SEEDS = 64
BATCH = 4096

#: Told after each batch of work: what is being done, how much of it is done, of how much.
Progress: TypeAlias = Callable[[str, int, int], None]
#: Blinds the encoded items, a batch of consecutive ones after the other. The default does it here; a server may spread
#: it over processes.
Blind: TypeAlias = Callable[[Sequence[bytes], TableSecrets], Iterable[Rows]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Layout:
    """Where everything stands for one seed: the encoded items, their positions, and the cell assigned to each."""

    geometry: Geometry
    seed: bytes
    items: Sequence[bytes]
    positions: Places
    peeling: Peeling
    assigned: Places

    @property
    def fill(self) -> Places:
        """The cells that hold no item, in ascending order."""
        free = np.ones(self.geometry.cells, np.bool_)
        free[self.assigned] = False
        return np.flatnonzero(free)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BuiltTable:
    """A new table, the secrets behind it, and its layout."""

    table: BlindedTable
    secrets: TableSecrets
    layout: Layout


def canonical_items(items: Iterable[ItemHash]) -> PackedItems:
    """The distinct encodings of a list, in ascending order: what a table is built from."""
    return pack(items)


def lay_out(encoding: str, items: Sequence[bytes], seed: bytes) -> Layout | None:
    """The layout of canonical items for one seed; None if the seed does not place all of them."""
    shape = geometry(encoding, len(items))
    positions = shape.positions(items, seed)
    peeling = peel(positions, shape.cells)
    assigned: Places | None = peeling.cell
    if isinstance(shape, CuckooGeometry):
        assigned = orient_cycles(peeling, positions)
    elif len(peeling.remaining):
        assigned = None
    return None if assigned is None else Layout(shape, seed, items, positions, peeling, assigned)


def find_layout(encoding: str, items: Sequence[bytes], rng: Rng) -> Layout:
    """Draw seeds until one places every canonical item; BuildError after MAX_SEEDS."""
    for _ in range(MAX_SEEDS):
        layout = lay_out(encoding, items, rng(SEED_SIZE))
        if layout is not None:
            return layout
    raise BuildError(f"none of {MAX_SEEDS} seeds places all {len(items)} items; is the random generator working?")


def build_table(
    group: Group,
    encoding: str,
    items: Iterable[ItemHash] | PackedItems,
    *,
    rng: Rng = secrets.token_bytes,
    progress: Progress | None = None,
    blind: Blind | None = None,
) -> BuiltTable:
    """Encode a list; repeated hashes count once.

    The list is read once and kept packed, and blinded in batches that go straight into the cells: a build takes some
    120 octets of memory a hash of 32 octets. Raises CallerError for an unknown encoding, BuildError if not every item
    could be encoded. Draws, in this order: the table secrets (α, fill key), then one seed after another.
    """
    encoded = items if isinstance(items, PackedItems) else canonical_items(items)
    table_secrets = TableSecrets.draw(group, rng)
    return _build(group, find_layout(encoding, encoded, rng), table_secrets, progress or _silent, blind)


def _build(
    group: Group, layout: Layout, table_secrets: TableSecrets, progress: Progress, blind: Blind | None = None
) -> BuiltTable:
    """The private twin of `build_table`: nothing is drawn."""
    cells = np.zeros((layout.geometry.cells, group.element_size), np.uint8)
    _write_fill(group, cells, layout, table_secrets.fill_key, progress)
    batches = blind(layout.items, table_secrets) if blind else _blind(group, layout.items, table_secrets, progress)
    done = 0
    for batch in batches:
        cells[layout.assigned[done : done + len(batch)]] = batch
        done += len(batch)
    if not isinstance(layout.geometry, CuckooGeometry):
        _solve_backwards(group, cells, layout, progress)
    if not cells.any(axis=1).all():
        raise BuildError("a cell came out as the identity: start again with fresh secrets")
    return BuiltTable(BlindedTable(group, layout.geometry, layout.seed, cells), table_secrets, layout)


def _blind(group: Group, items: Sequence[bytes], table_secrets: TableSecrets, progress: Progress) -> Iterator[Rows]:
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        yield blind_items(group, batch, table_secrets)
        progress("blinding", start + len(batch), len(items))


def _write_fill(group: Group, cells: Rows, layout: Layout, fill_key: Secret, progress: Progress) -> None:
    fill = layout.fill
    for start in range(0, len(fill), BATCH):
        batch = fill[start : start + BATCH]
        cells[batch] = fill_elements(group, fill_key, batch.tolist())
        progress("filling", start + len(batch), len(fill))


def _solve_backwards(group: Group, cells: Rows, layout: Layout, progress: Progress) -> None:
    """Turn the V in the assigned cells of a fuse table into T[c] = (V − T[c']) − T[c''], the last round first."""
    rounds = layout.peeling.rounds[::-1]
    order = np.concatenate(rounds) if rounds else layout.assigned
    own, around = layout.assigned[order], layout.positions[order]
    others = around[around != own[:, None]].reshape(-1, 2)
    equations = Equations(own, others, [len(members) for members in rounds])
    group.solve(cells, equations, lambda done, total: progress("encoding", done, total))


def _silent(_stage: str, _done: int, _total: int) -> None:
    return
