"""Inspecting an epoch: what it is, whether it is still what was built; and retiring it."""

from dataclasses import dataclass
from typing import Any

from tpsi.table import Progress
from tpsi.trust import picture_threshold
from tpsi_server.config import DataFolder
from tpsi_server.errors import DataError, OperatorError
from tpsi_server.keys import KeyRing, epoch_key_path
from tpsi_server.store import EpochRecord, Store
from tpsi_server.tables import Epoch, load_epoch, verify_table


@dataclass(frozen=True, slots=True)
class Inspection:
    """An epoch with what only the store knows of it."""

    epoch: Epoch
    record: EpochRecord
    waiting: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON types."""
        manifest = self.epoch.manifest
        return {
            "epoch": manifest.epoch,
            "digest": manifest.digest.hex(),
            "previous": manifest.previous and manifest.previous.hex(),
            "created": manifest.created,
            "retired": self.record.retired,
            "list": manifest.list_id.hex(),
            "name": manifest.name,
            "suite": manifest.suite,
            "encoding": manifest.encoding,
            "items": manifest.items,
            "cells": manifest.geometry.cells,
            "table_bytes": manifest.table_bytes,
            "bytes_per_item": round(manifest.table_bytes / max(1, manifest.items), 2),
            "types": list(manifest.types),
            "sources": {source.name: source.items for source in manifest.sources},
            "minimum_sources": manifest.minimum_sources,
            "threshold": manifest.sharing.threshold,
            "threshold_pictures": picture_threshold(manifest),
            "rows": manifest.sharing.rows,
            "count_by": manifest.sharing.count_by.value,
            "probes": manifest.probes.per_item,
            "synthetic_mode": manifest.synthetic.mode.value,
            "synthetic_per_million": manifest.synthetic.per_million,
            "probes_per_item": manifest.probes.per_item,
            "separated": manifest.probes.separated,
            "canary": manifest.canary and [str(item) for item in manifest.canary.hashes],
            "vouchers_waiting": self.waiting,
            "table": str(self.epoch.table),
        }


def inspect_epoch(folder: DataFolder, store: Store, number: int) -> Inspection:
    """What is known of an epoch; OperatorError if there is none of this number, DataError if it is damaged."""
    record = next((record for record in store.epochs.all() if record.number == number), None)
    if record is None:
        raise OperatorError(f"there is no epoch {number}: see `tpsi-server tables`")
    return Inspection(load_epoch(folder, folder.identity(), record), record, store.epochs.waiting(number))


def verify_epoch(inspection: Inspection, store: Store, keys: KeyRing | None, progress: Progress) -> list[str]:
    """Check all that can be checked of an epoch; what was found right, in words. DataError for what was not.

    Signature, sizes and the tree above the leaves were checked when it was read. With `keys` its key file is opened.
    """
    epoch, manifest = inspection.epoch, inspection.epoch.manifest
    found = ["the manifest is signed by this server's key"]
    before = next((record.digest for record in store.epochs.all() if record.number == manifest.epoch - 1), None)
    if before != manifest.previous:
        raise DataError(f"epoch {manifest.epoch} does not follow the epoch {manifest.epoch - 1} that is here")
    found.append("it follows the epoch before it" if before else "it is the first of its chain")
    if epoch.retired:
        found.append("it is retired: its table is not looked at")
    else:
        for done in verify_table(epoch):
            progress("reading the table", done, manifest.table_bytes)
        found.append(f"all {manifest.table_bytes} octets of the table are those that were built")
    if keys is not None:
        keys.epoch(manifest)
        found.append("the key file opens, and belongs to it")
    return found


def retire_epoch(folder: DataFolder, store: Store, number: int, now: float, *, destroy_key: bool = False) -> None:
    """Take an epoch out of force: its table is not served, and no more vouchers are taken for it.

    With `destroy_key` its secrets are deleted, after which nobody can match vouchers of it. OperatorError if there
    is no such epoch, or vouchers still wait for these secrets; the epoch is retired in the latter case.
    """
    record = next((record for record in store.epochs.all() if record.number == number), None)
    if record is None or not store.epochs.retire(number, now):
        raise OperatorError(f"there is no epoch {number}: see `tpsi-server tables`")
    if destroy_key:
        waiting = store.epochs.waiting(number)
        if waiting:
            raise OperatorError(
                f"epoch {number} is retired, but {waiting} of its vouchers are not matched yet: "
                "run `tpsi-server match`, then this again"
            )
        epoch_key_path(folder.keys, number, record.digest).unlink(missing_ok=True)
