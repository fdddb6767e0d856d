"""The repository of epochs: the tables that were built, ready to be served."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tpsi import Manifest
from tpsi_server.config import DataFolder
from tpsi_server.store import Store


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch as it lies on the disk.

    `signed_manifest` are the octets of the signed manifest, `leaves` those of the digest tree's leaves (32
    each), `table` is the path of the table file, whose length was checked.
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
        raise NotImplementedError


class TableRepository:
    """Reads epochs and keeps them. Thread-safe; sees within a second what other processes build or retire."""

    def __init__(self, folder: DataFolder, store: Store) -> None:
        raise NotImplementedError

    def newest(self) -> Epoch:
        """The newest epoch that is not retired; RefusedError NO_TABLE if there is none."""
        raise NotImplementedError

    def by_number(self, number: int) -> Epoch:
        """An epoch, retired or not (devices check the whole chain); RefusedError MANIFEST_UNKNOWN."""
        raise NotImplementedError

    def by_digest(self, digest: bytes) -> Epoch:
        """The epoch whose manifest has this digest of 32 octets.

        Raises RefusedError MANIFEST_UNKNOWN, or EPOCH_RETIRED: its table is no longer handed out.
        """
        raise NotImplementedError

    def by_manifest_id(self, manifest_id: bytes) -> Epoch | None:
        """The epoch that a voucher names, retired or not."""
        raise NotImplementedError

    def all(self) -> Sequence[Epoch]:
        """Every epoch, in order."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Look now for what has changed."""
        raise NotImplementedError
