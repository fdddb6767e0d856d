"""Tables as a hostile server makes them: with more, fewer or other entries than the list that it shows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from tests.support.drbg import Drbg
from tests.support.world import World, file_root, md5
from tpsi import BlindedTable, Manifest, TableSecrets
from tpsi.audit import AuditedTable, AuditError, Reason, TableProof, prove_table, verify_table
from tpsi.groups import Rows
from tpsi.table import CuckooGeometry, Layout, blind_items, canonical_items, geometry, hash_items, lay_out
from tpsi.table.building import _build
from tpsi.table.peeling import orient_cycles, peel

#: The names whose hashes are on the list that is shown to auditors.
NAMES = range(30)

#: What the server puts in the place of the V_x: all of them are given and returned.
Alter = Callable[[Rows], Rows]


def listed(names: Sequence[object]) -> list[bytes]:
    """The encoded items of some names, as a list."""
    return list(canonical_items(md5(name) for name in names))


@dataclass(frozen=True)
class Served:
    """What a server publishes, and the secrets that it keeps."""

    manifest: Manifest
    secrets: TableSecrets
    cells: Rows

    @classmethod
    def honest(cls, world: World) -> "Served":
        """The table of a world."""
        return cls(world.manifest, world.built.secrets, world.built.table.cells)

    def with_cells(self, cells: Rows) -> "Served":
        """With other cells, and the manifest that goes with them."""
        return replace(self, cells=cells, manifest=replace(self.manifest, root=file_root(cells)))

    def prove(self, items: Sequence[bytes]) -> TableProof:
        """The library's proof."""
        return prove_table(self.manifest, self.secrets, items, rng=Drbg("prover"))

    def audit(self, items: Sequence[bytes], proof: TableProof | None = None) -> AuditedTable:
        """What an auditor with this list finds."""
        return verify_table(self.manifest, self.cells, items, proof or self.prove(items))

    def finds(self, name: object) -> bool:
        """Whether a device's voucher for a name would open."""
        group, y = self.manifest.group, [md5(name).encode()]
        found = BlindedTable(group, self.manifest.geometry, self.manifest.seed, self.cells).lookup(y)
        wanted = group.multiply(self.secrets.scalar(group), hash_items(group, y))
        return bool(((found.elements[0] == wanted).all(axis=1) & found.good[0]).any())


def hidden(world: World, names: Sequence[object]) -> Served:
    """A table with the sizes for the listed names, but which holds the `names`: built as an honest one would be."""
    shape, items, rng = geometry(world.encoding, len(NAMES)), listed(names), Drbg("seeds")
    while True:
        seed = rng(32)
        positions = shape.positions(items, seed)
        peeling = peel(positions, shape.cells)
        assigned = orient_cycles(peeling, positions) if isinstance(shape, CuckooGeometry) else peeling.cell
        if assigned is not None and (assigned >= 0).all() and places(world.encoding, seed):
            break
    layout = Layout(shape, seed, items, positions, peeling, assigned)
    cells = _build(world.manifest.group, layout, world.built.secrets, lambda *_: None).table.cells
    return Served(replace(world.manifest, seed=seed), world.built.secrets, cells).with_cells(cells)


def places(encoding: str, seed: bytes) -> bool:
    """Whether a seed places the list that auditors see: a server would choose one that does."""
    return lay_out(encoding, listed(NAMES), seed) is not None


def altered(world: World, alter: Alter) -> Served:
    """A table built from the list, with some of the V_x replaced."""

    def blind(items: Sequence[bytes], secrets: TableSecrets) -> Iterator[Rows]:
        yield alter(blind_items(world.manifest.group, items, secrets))

    built = _build(world.manifest.group, world.built.layout, world.built.secrets, lambda *_: None, blind)
    return Served.honest(world).with_cells(built.table.cells)


def fill_cells(world: World) -> list[int]:
    """The cells that hold no item."""
    return [int(cell) for cell in world.built.layout.fill]


def untouched(world: World) -> tuple[int, str]:
    """A fill cell that no listed item reads, and a name that reads it."""
    free = set(fill_cells(world)) - set(world.built.layout.positions.ravel().tolist())
    for number in range(10_000):
        name = f"unlisted {number}"
        cells = world.built.table.geometry.positions([md5(name).encode()], world.built.table.seed)[0].tolist()
        if free & set(cells):
            return min(free & set(cells)), name
    raise LookupError("no such name")


@contextmanager
def refused(reason: Reason) -> Iterator[None]:
    """That the block is refused for this reason."""
    with pytest.raises(AuditError) as caught:
        yield
    assert caught.value.reason is reason, caught.value
