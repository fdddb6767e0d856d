"""A server's data folder with three epochs, made once and copied for each test, and devices on its tables."""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.drbg import Drbg
from tests.support.world import NO_COVER, items_of, md5
from tpsi import (
    AccountKeys,
    BlindedTable,
    Device,
    ItemHash,
    Manifest,
    Pool,
    SealedBatch,
    Secret,
    Sharing,
    SignedManifest,
    derive,
    seal,
)
from tpsi_server import DataFolder, Store
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keyfile import Cost
from tpsi_server.keys import KeyRing
from tpsi_server.lists import Addition
from tpsi_server.setup import set_up
from tpsi_server.store import Spool
from tpsi_server.tables import MANIFEST_FILE, TABLE_FILE, epoch_folder

PASSPHRASE = Secret(b"a passphrase for tests")
LIST_NAME = "a test list"
THRESHOLD = 3
#: Names whose md5 is listed in the newest epoch: its table has more than one chunk, and a last one that is shorter.
LISTED = range(2500)
RETIRED, WITHOUT_CANARY, NEWEST = 1, 2, 3
#: Scrypt as cheap as it gets: tests open key files often.
COST = Cost(2, 1, 1)


def data_key(number: int) -> Secret:
    """The data keys of stores that have no key files."""
    return Secret(b"data" + number.to_bytes(28, "big"))


def make_data_folder(path: Path) -> DataFolder:
    """A server whose epoch 1 is retired, whose epoch 2 has no canary, and whose newest epoch lists LISTED."""
    folder = DataFolder.at(path)
    set_up(folder, LIST_NAME, PASSPHRASE, cost=COST)
    with Store.open(folder.database) as store:
        builder = Builder(folder, store, KeyRing(folder.keys, PASSPHRASE, cost=COST), processes=1)
        options = BuildOptions(Sharing(THRESHOLD, 4), NO_COVER)
        add_source(store, "without canary", [ItemHash("neuralhash", bytes(12))])
        builder.build(options)
        store.epochs.retire(RETIRED, time.time())
        builder.build(options)
        add_source(store, "names", map(md5, LISTED))
        builder.build(options)
    return folder


def copy_data_folder(folder: DataFolder, path: Path) -> DataFolder:
    """A copy of a folder that no process uses."""
    shutil.copytree(folder.path, path)
    return DataFolder.at(path)


def add_source(store: Store, name: str, items: Iterable[ItemHash]) -> None:
    """Put a source's hashes into the store."""
    spool = Spool()
    for line, item in enumerate(items, 1):
        spool.add(Addition(item, line))
    store.lists.apply(name, spool, replace=True, file="a test", form="test", report={}, now=time.time())
    spool.close()


@dataclass(frozen=True)
class TestEpoch:
    """An epoch as a device has it: its manifest and table."""

    __test__ = False

    manifest: Manifest
    cells: bytes

    @classmethod
    def read(cls, folder: DataFolder, number: int = NEWEST) -> "TestEpoch":
        """Read an epoch from a server's folder."""
        where = epoch_folder(folder, number)
        envelope = SignedManifest.decode((where / MANIFEST_FILE).read_bytes())
        return cls(envelope.manifest, (where / TABLE_FILE).read_bytes())

    def device(self, account: str = "alice") -> Device:
        """A device of an account."""
        manifest = self.manifest
        cells = np.frombuffer(self.cells, np.uint8).reshape(-1, manifest.group.element_size)
        table = BlindedTable(manifest.group, manifest.geometry, manifest.seed, cells)
        return Device(manifest, table, self.keys(account), account)

    def keys(self, account: str) -> AccountKeys:
        """The keys of an account."""
        secret = Secret(account.encode().ljust(32, b"\0"))
        return derive(secret, Pool(self.manifest.list_id, 0, self.manifest.sharing))

    def seal(self, names: Sequence[object], account: str = "alice", seed: str = "device") -> list[bytes]:
        """Vouchers for the items of some names; another seed gives other voucher ids."""
        batch: SealedBatch = seal(self.device(account), items_of(names), rng=Drbg(seed))
        return [voucher.data for voucher in batch.vouchers]


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)
