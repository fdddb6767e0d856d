"""The repository of epochs: the tables that were built, ready to be served."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tpsi import Manifest, SignedManifest, TpsiError, merkle
from tpsi.canary import CANARY_NAME, canary_picture
from tpsi.signing import MAX_ENVELOPE
from tpsi_server.config import DataFolder, ServerIdentity
from tpsi_server.errors import DataError, RefusedError
from tpsi_server.files import read_bounded
from tpsi_server.reasons import Reason
from tpsi_server.store import EpochRecord, Store

TABLE_FILE, MANIFEST_FILE, LEAVES_FILE = "table.bin", "manifest.json", "leaves.bin"
#: Which listed hashes were left out of the table, and why.
SCREENING_FILE = "screening.json"
#: Seconds for which what is known of the epochs is not looked at again.
FRESH = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch as it lies on the disk.

    `signed_manifest` are the octets of the signed manifest, `leaves` those of the digest tree's leaves (32
    each), `table` is the path of the table file, whose length was checked. Of a retired epoch the table may be gone.
    """

    manifest: Manifest
    signed_manifest: bytes
    leaves: bytes
    table: Path
    retired: bool

    @property
    def number(self) -> int:
        """1, 2, 3 …"""
        return self.manifest.epoch

    def canary(self) -> tuple[str, bytes]:
        """Name and octets of the canary picture; RefusedError CANARY_NONE if the list holds none."""
        if self.manifest.canary is None or self.manifest.canary.name != CANARY_NAME:
            raise RefusedError(Reason.CANARY_NONE, f"the list of epoch {self.number} holds no canary")
        return CANARY_NAME, canary_picture()


class TableRepository:
    """Reads epochs and keeps them. Thread-safe; sees within a second what other processes build or retire.

    Raises DataError if an epoch that is in force cannot be served as it lies there.
    """

    def __init__(self, folder: DataFolder, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._identity = folder.identity()
        self._lock = threading.Lock()
        self._epochs: dict[int, Epoch] = {}
        self._by_manifest_id: dict[bytes, Epoch] = {}
        self._stamps: dict[int, int] = {}
        for record in store.epochs.all():
            self._load(record)
        self._looked = time.monotonic()

    def newest(self) -> Epoch:
        """The newest epoch of all replicas; RefusedError NO_TABLE if there is none, or it is retired.

        An older one would not do instead, nor one with fewer signatures than another replica hands out: devices refuse
        to step back. So it is looked up in the store each time; TABLE_NOT_HERE if its files are not here yet.
        """
        record = self._store.epochs.newest()
        if record is None or record.retired is not None:
            raise RefusedError(Reason.NO_TABLE, "there is no table in force: run `tpsi-server build`")
        if record.number not in self._epochs or self._stamps.get(record.number) != self._stamp(record.number):
            self.refresh()
        epoch = self._epochs.get(record.number)
        if epoch is None or epoch.manifest.digest != record.digest:
            raise _not_here(record)
        return epoch

    def by_number(self, number: int) -> Epoch:
        """An epoch, retired or not (devices check the whole chain); RefusedError MANIFEST_UNKNOWN, TABLE_NOT_HERE."""
        self._look()
        epoch = self._epochs.get(number)
        if epoch is None:
            self.catch_up()
            epoch = self._epochs.get(number)
        if epoch is None:
            raise RefusedError(Reason.MANIFEST_UNKNOWN, f"there is no epoch {number}")
        return epoch

    def by_digest(self, digest: bytes) -> Epoch:
        """The epoch whose manifest has this digest of 32 octets.

        Raises RefusedError MANIFEST_UNKNOWN, TABLE_NOT_HERE, or EPOCH_RETIRED: its table is no longer handed out.
        """
        epoch = self.by_manifest_id(digest[: len(digest) // 2])
        if epoch is None:
            self.catch_up()
            epoch = self.by_manifest_id(digest[: len(digest) // 2])
        if epoch is None or epoch.manifest.digest != digest:
            raise RefusedError(Reason.MANIFEST_UNKNOWN, "no epoch has a manifest with this digest")
        if epoch.retired:
            raise RefusedError(Reason.EPOCH_RETIRED, f"epoch {epoch.number} is retired")
        return epoch

    def by_manifest_id(self, manifest_id: bytes) -> Epoch | None:
        """The epoch that a voucher names, retired or not."""
        self._look()
        return self._by_manifest_id.get(manifest_id)

    def all(self) -> Sequence[Epoch]:
        """Every epoch, in order."""
        self._look()
        return [self._epochs[number] for number in sorted(self._epochs)]

    def catch_up(self) -> None:
        """Read what another replica has built meanwhile; RefusedError TABLE_NOT_HERE if its files are not here yet."""
        newest = self._store.epochs.newest()
        if newest is None or newest.number in self._epochs:
            return
        self.refresh()
        if newest.number not in self._epochs:
            raise _not_here(newest)

    def refresh(self) -> None:
        """Look now for what has changed. An epoch that cannot be read is reported in the log, and left out."""
        with self._lock:
            self._refresh()

    def _look(self) -> None:
        if time.monotonic() - self._looked < FRESH or not self._lock.acquire(blocking=False):
            return
        try:
            self._refresh()
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        for record in self._store.epochs.all():
            known = self._epochs.get(record.number)
            unchanged = known is not None and known.retired == (record.retired is not None)
            if unchanged and self._stamps.get(record.number) == self._stamp(record.number):
                continue
            try:
                self._load(record)
            except (TpsiError, OSError) as error:
                _log.error("epoch %d is left out: %s", record.number, error)
        self._looked = time.monotonic()

    def _stamp(self, number: int) -> int:
        """Changes when an auditor's signature is added to an epoch's manifest."""
        try:
            return (epoch_folder(self._folder, number) / MANIFEST_FILE).stat().st_mtime_ns
        except OSError:
            return 0

    def _load(self, record: EpochRecord) -> None:
        stamp = self._stamp(record.number)  # before it is read
        self._keep(load_epoch(self._folder, self._identity, record), stamp)

    def _keep(self, epoch: Epoch, stamp: int) -> None:
        self._epochs[epoch.number] = epoch
        self._stamps[epoch.number] = stamp
        self._by_manifest_id[epoch.manifest.manifest_id] = epoch


def _not_here(record: EpochRecord) -> RefusedError:
    return RefusedError(Reason.TABLE_NOT_HERE, f"epoch {record.number} is in force, and its files are not here yet")


def epoch_folder(folder: DataFolder, number: int) -> Path:
    """Where an epoch's files lie."""
    return folder.tables / str(number)


def load_epoch(folder: DataFolder, identity: ServerIdentity, record: EpochRecord) -> Epoch:
    """Read an epoch and check all of it but the table's content; DataError if it is not what was built."""
    where = epoch_folder(folder, record.number)
    envelope = read_manifest(where / MANIFEST_FILE, identity)
    manifest = envelope.manifest
    if (manifest.epoch, manifest.digest) != (record.number, record.digest):
        raise DataError(f"{where / MANIFEST_FILE} is not the manifest that was built as epoch {record.number}")
    retired = record.retired is not None
    leaves = b"" if retired else _read_leaves(where / LEAVES_FILE, manifest)
    if not retired:
        _check_length(where / TABLE_FILE, manifest)
    return Epoch(manifest, envelope.encode(), leaves, where / TABLE_FILE, retired)


def load_manifest(folder: DataFolder, number: int) -> Manifest:
    """The manifest of an epoch; DataError if it is not one of this server's list."""
    return read_manifest(epoch_folder(folder, number) / MANIFEST_FILE, folder.identity()).manifest


def read_manifest(path: Path, identity: ServerIdentity) -> SignedManifest:
    """A signed manifest of this server's list; DataError if it is anything else."""
    try:
        envelope = SignedManifest.decode(read_bounded(path, MAX_ENVELOPE))
        manifest = envelope.verify(identity.server_key)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: restore it from a backup") from None
    except TpsiError as error:
        raise DataError(f"{path} is damaged ({error}): restore it from a backup") from None
    if manifest.list_id != identity.list_id:
        raise DataError(f"{path} belongs to another list than this server's")
    return envelope


def verify_table(epoch: Epoch) -> Iterator[int]:
    """Read the whole table and check its digest tree; yields how many octets are done. DataError where it differs."""
    done = 0
    with epoch.table.open("rb") as file:
        for start in range(0, len(epoch.leaves), merkle.DIGEST_SIZE):
            chunk = file.read(merkle.CHUNK_SIZE)
            if merkle.leaf_digest(chunk) != epoch.leaves[start : start + merkle.DIGEST_SIZE]:
                raise DataError(
                    f"{epoch.table} is damaged in the {merkle.CHUNK_SIZE} octets from {done}: restore it from a backup"
                )
            done += len(chunk)
            yield done


def _read_leaves(path: Path, manifest: Manifest) -> bytes:
    size = merkle.chunk_count(manifest.table_bytes) * merkle.DIGEST_SIZE
    try:
        data = read_bounded(path, size)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: restore it from a backup") from None
    leaves = [data[start : start + merkle.DIGEST_SIZE] for start in range(0, len(data), merkle.DIGEST_SIZE)]
    if len(data) != size or merkle.root(leaves) != manifest.root:
        raise DataError(f"{path} is damaged: restore it from a backup")
    return data


def _check_length(path: Path, manifest: Manifest) -> None:
    try:
        length = path.stat().st_size
    except FileNotFoundError:
        raise DataError(f"{path} is missing: restore it from a backup, or retire epoch {manifest.epoch}") from None
    if length != manifest.table_bytes:
        raise DataError(
            f"{path} has {length} octets, its manifest says {manifest.table_bytes}: "
            f"restore it from a backup, or retire epoch {manifest.epoch}"
        )
