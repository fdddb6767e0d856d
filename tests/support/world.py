"""A list, its server's secrets, and devices, all in memory: the stage of most protocol tests."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.support.drbg import Drbg
from tpsi import (
    AccountKeys,
    BlindedTable,
    BuiltTable,
    Device,
    Examination,
    Item,
    ItemHash,
    Manifest,
    Opened,
    Pool,
    Probes,
    SealedBatch,
    Secret,
    Sharing,
    Source,
    Submission,
    Synthetic,
    SyntheticMode,
    build_table,
    derive,
    examine,
    group,
    match,
    seal,
)
from tpsi.groups import Rng
from tpsi.merkle import CHUNK_SIZE, leaves_of, root

RISTRETTO = "TPSI-RISTRETTO255-SHA512"
P256 = "TPSI-P256-SHA256"
FEW = Sharing(3, 4)
ONE_PROBE = Probes(1, False)
NO_COVER = Synthetic(SyntheticMode.NONE, 0)


def md5(name: object) -> ItemHash:
    """The md5 of a name, as an item hash."""
    return ItemHash("md5", hashlib.md5(str(name).encode(), usedforsecurity=False).digest())


def items_of(names: Iterable[object], associated: bytes = b"") -> list[Item]:
    """One item for every name, with the name as identifier and one probe."""
    return [Item(str(name).encode(), (md5(name),), associated or str(name).encode()) for name in names]


def file_root(cells: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """The digest tree root of a table's file."""
    data = cells.tobytes()
    return root(leaves_of([data[i : i + CHUNK_SIZE] for i in range(0, len(data), CHUNK_SIZE)]))


@dataclass
class World:
    """A list of names `listed`, whose md5 are in the table, under one manifest."""

    listed: Sequence[object]
    suite: str = RISTRETTO
    encoding: str = "fuse"
    sharing: Sharing = FEW
    synthetic: Synthetic = NO_COVER
    probes: Probes = ONE_PROBE
    seed: str = "world"
    rng: Rng = field(init=False)
    built: BuiltTable = field(init=False)
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Drbg(self.seed)
        chosen = group(self.suite)
        self.built = build_table(chosen, self.encoding, [md5(name) for name in self.listed], rng=self.rng)
        self.manifest = Manifest(
            list_id=self.rng(16),
            name="a test list",
            epoch=1,
            previous=None,
            created=1_700_000_000,
            suite=self.suite,
            key=self.built.secrets.public_key(chosen),
            encoding=self.encoding,
            items=self.built.table.geometry.items,
            seed=self.built.table.seed,
            root=file_root(self.built.table.cells),
            types=("md5",),
            sources=(Source("test", len(self.listed)),),
            minimum_sources=1,
            sharing=self.sharing,
            synthetic=self.synthetic,
            probes=self.probes,
        )

    def keys(self, account_secret: bytes = b"\x11" * 32, generation: int = 0) -> AccountKeys:
        """The keys of an account."""
        return derive(Secret(account_secret), Pool(self.manifest.list_id, generation, self.manifest.sharing))

    def device(self, account: str = "alice", table: BlindedTable | None = None, **keys: object) -> Device:
        """A device of an account, on the honest table or on another one."""
        return Device(self.manifest, table or self.built.table, self.keys(**keys), account)  # type: ignore[arg-type]

    def with_cells(self, cells: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> BlindedTable:
        """The table with other cells: what a hostile server publishes."""
        return replace(self.built.table, cells=cells)

    def seal(self, names: Iterable[object], device: Device | None = None, **options: object) -> SealedBatch:
        """Seal the items of some names on a device; the vouchers come in the order of the items, for tests to read."""
        batch = seal(device or self.device(), items_of(names), rng=self.rng, **options)  # type: ignore[arg-type]
        return replace(batch, vouchers=tuple(sorted(batch.vouchers, key=lambda v: (v.item, v.kind.value))))

    def match(self, batch: SealedBatch, account: str = "alice") -> list[Opened | None]:
        """What the server opens of a batch, in its order."""
        submissions = [Submission(account, v.data) for v in batch.vouchers]
        return match(self.manifest, self.built.secrets, submissions)

    def opened(self, batch: SealedBatch, account: str = "alice") -> list[Opened]:
        """Only the vouchers that opened."""
        return [one for one in self.match(batch, account) if one is not None]

    def examine(self, opened: Sequence[Opened]) -> Examination:
        """The server's examination of the first generation's pool."""
        return examine(self.keys().pool, opened, rng=self.rng)
