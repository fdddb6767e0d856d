"""A small server in a folder of its own, and devices on its newest table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.support.drbg import Drbg
from tests.support.server_data import COST, PASSPHRASE, add_source, wait_for
from tests.support.world import NO_COVER, items_of, md5
from tpsi import (
    BlindedTable,
    Device,
    Manifest,
    Opened,
    Pool,
    Secret,
    Sharing,
    Synthetic,
    derive,
    seal,
)
from tpsi.labels import Label
from tpsi.symmetric import seal as aead
from tpsi.voucher import Header, Slot, Voucher, context, item_key, payload_data, slot_count, slot_data, slot_key
from tpsi_server import DataFolder, Runtime, Store
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.setup import set_up

LISTED = range(50)
SHARING = Sharing(3, 4)


class Site:
    """A data folder, set up if it is not; `clock` is where its parts take the time from, if a test tells them to."""

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder.at(path)
        self.now = 1_800_000_000.0
        if not self.folder.is_set_up:
            set_up(self.folder, "a test list", PASSPHRASE, cost=COST)

    def clock(self) -> float:
        """The time that the test has set."""
        return self.now

    def keys(self) -> KeyRing:
        """The server's keys."""
        return KeyRing(self.folder.keys, PASSPHRASE, cost=COST)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, opened anew."""
        with Store.open(self.folder.database) as store:
            yield store

    def list_names(self, source: str, names: Iterable[object]) -> None:
        """Make the md5 of some names all that a source names."""
        with self.store() as store:
            add_source(store, source, map(md5, names))

    def build(
        self,
        sharing: Sharing = SHARING,
        synthetic: Synthetic = NO_COVER,
        minimum_sources: int = 1,
        encoding: str = "fuse",
    ) -> Manifest:
        """Build the next epoch."""
        options = BuildOptions(sharing, synthetic, minimum_sources=minimum_sources, encoding=encoding)
        with self.store() as store:
            return Builder(self.folder, store, self.keys(), processes=1).build(options)

    @contextmanager
    def runtime(self, workers: int = 0) -> Iterator[Runtime]:
        """The whole server."""
        with Runtime(self.folder, PASSPHRASE, workers=workers) as runtime:
            yield runtime


def device(runtime: Runtime, account: str = "alice", generation: int = 0) -> Device:
    """A device of an account on the newest table."""
    epoch = runtime.tables.newest()
    manifest = epoch.manifest
    cells = np.fromfile(epoch.table, np.uint8).reshape(-1, manifest.group.element_size)
    table = BlindedTable(manifest.group, manifest.geometry, manifest.seed, cells)
    secret = Secret(account.encode().ljust(32, b"\0"))
    keys = derive(secret, Pool(manifest.list_id, generation, manifest.sharing))
    return Device(manifest, table, keys, account)


def vouchers(
    runtime: Runtime, names: Iterable[object], account: str = "alice", seed: str = "device", generation: int = 0
) -> list[bytes]:
    """Vouchers for the items of some names, whose associated data is the name."""
    batch = seal(device(runtime, account, generation), items_of(names), rng=Drbg(seed))
    return [voucher.data for voucher in batch.vouchers]


def forged(manifest: Manifest, account: str, share: bytes, adct: bytes, voucher_id: bytes) -> bytes:
    """A voucher that opens to any share and inner ciphertext: what a hostile device can make (specification, 7.5)."""
    group, rng = manifest.group, Drbg(b"forged" + voucher_id)
    width = slot_count(manifest)
    header = Header(manifest.manifest_id, voucher_id, 0, width, 0)
    bound = context(manifest, header, account)
    gamma = group.random_scalars(1, rng)
    q = group.multiply_base(gamma).tobytes()
    s = group.multiply(gamma, np.frombuffer(manifest.key, np.uint8).reshape(1, -1)).tobytes()
    rkey = rng(32)
    ct = aead(slot_key(manifest, s, q), rkey + share, slot_data(bound))
    rct = aead(rkey, adct, payload_data(bound))
    return Voucher(header, (Slot(q, ct),) * width, rct).encode()


def empty_adct(ad_key: Secret, voucher_id: bytes) -> bytes:
    """The inner ciphertext of empty associated data."""
    return aead(item_key(ad_key.reveal(), voucher_id), b"", Label.AD.value + voucher_id)


def revealed(runtime: Runtime, account: str = "alice") -> set[bytes]:
    """The associated data that was revealed of an account."""
    return {reveal.associated for reveal in runtime.store.reveals.of_account(account)}


def opened(voucher_id: bytes, share: bytes = b"\0" * 7 + b"\1" + b"\0" * 32, adct: bytes = b"a" * 16) -> Opened:
    """An opened voucher, for tests that do not match."""
    return Opened(voucher_id, 0, share, adct)


def ids(data: Sequence[bytes]) -> list[bytes]:
    """The ids of encoded vouchers."""
    return [Header.decode(one).voucher_id for one in data]


def wait_until_idle(runtime: Runtime) -> None:
    """Wait until nothing waits to be matched."""
    wait_for(lambda: not runtime.status().vouchers_waiting)
