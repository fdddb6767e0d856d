"""The audit of one epoch: what was checked, what was established by it, and what was not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tpsi import Role
from tpsi.audit import AuditedTable, verify_table
from tpsi.audit import package as names
from tpsi.table import PackedItems, Progress
from tpsi_audit.admission import check_admission
from tpsi_audit.errors import RefusedError
from tpsi_audit.lists import difference, read_list, together, without
from tpsi_audit.package import Package
from tpsi_audit.separation import check_separation
from tpsi_audit.signatures import check_signatures


def silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an audit that found nothing wrong: sentences on what holds, and on what it does not say."""

    table: AuditedTable
    established: tuple[str, ...]
    not_established: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "manifest": self.table.manifest_digest.hex(),
            "list": self.table.list_digest.hex(),
            "items": self.table.items,
            "cells": self.table.cells,
            "fill": self.table.fill,
            "established": list(self.established),
            "not_established": list(self.not_established),
        }


def verify(
    package: Package,
    lists: Sequence[Path] = (),
    sources: Mapping[str, Path] | None = None,
    *,
    server_key: bytes | None = None,
    source_keys: Mapping[str, bytes] | None = None,
    progress: Progress = silent,
) -> Report:
    """Audit a package: against whole lists, or against the sources' own ones and the rule of the manifest.

    With neither, against what the server exported, which says less. `server_key`: the key that devices pin;
    `source_keys`: the keys of sources that must have signed their lists.
    Raises RefusedError, AuditError or VerificationError with the first thing that does not hold; DecodeError;
    AuditorError.
    """
    found = [_check_signature(package, server_key)]
    open_ends = [] if server_key else ["whether this is the key that devices pin: compare it (--server-key)"]
    own = {name: read_list([path], progress) for name, path in (sources or {}).items()}
    exported = package.sources(progress) if not own and not lists else {}
    items, words, doubts = _expected(package, lists, own, exported, progress)
    if left_out := package.left_out():
        items = without(items, left_out)
        words += f", but for {len(left_out)} that the server left out by screening ({names.LEFT_OUT} names them)"
        doubts = [*doubts, "whether what was left out had to be: leaving out harms no device, but may spare somebody"]
    _compare_with_exported(package, items, progress)
    signed = check_signatures(package, own or exported, source_keys or {})
    table = verify_table(package.manifest, package.cells, items, package.proof, progress=progress)
    found += [
        f"the table of {package.manifest.table_bytes} octets is the one of the manifest",
        f"it holds exactly {words}",
        f"the other {table.fill} of its {table.cells} cells are fill: there is room for no other hash",
        *signed,
        *check_separation(package.manifest, items),
    ]
    return Report(table, tuple(found), (*open_ends, *doubts, _LIMIT))


def _check_signature(package: Package, server_key: bytes | None) -> str:
    manifest, signatures = package.manifest, package.envelope.signatures
    key = server_key or next((s.key for s in signatures if s.role is Role.SERVER), b"")
    if not key:
        raise RefusedError("no server has signed the manifest")
    package.envelope.verify(key)
    return f'the manifest of epoch {manifest.epoch} of "{manifest.name}" is signed under the server key {key.hex()}'


def _expected(
    package: Package,
    lists: Sequence[Path],
    own: Mapping[str, PackedItems],
    exported: Mapping[str, PackedItems],
    progress: Progress,
) -> tuple[PackedItems, str, list[str]]:
    """The list that the table has to hold, what it is in words, and what remains open about it."""
    manifest = package.manifest
    if lists:
        yours = read_list(lists, progress)
        items = together(yours, manifest.canary.hashes if manifest.canary else ())
        public = f" and {more} of a published picture" if (more := len(items) - len(yours)) else ""
        words = f"the {len(yours)} hashes of your list{public}"
        return items, words, ["which sources name which of them: give their lists"]
    if not own and not exported:
        if package.list_path is None:
            raise RefusedError("there is no list: give yours with --list, or the sources' with --source")
        items = read_list([package.list_path], progress)
        return items, f"the {len(items)} hashes that the server exported", [_UNCOMPARED]
    admission = check_admission(manifest, own or exported)
    whose = "your copies of the lists" if own else "the exported lists"
    words = (
        f"the {len(admission.items)} hashes that {whose} of {len(own or exported)} sources give under the rule "
        f"that {manifest.minimum_sources} of them name a hash ({admission.kept_out} are kept out by it)"
    )
    return admission.items, words, [] if own else [_UNCOMPARED]


_UNCOMPARED = (
    "that the exported lists are those of the sources: nobody but the server says so. "
    "Compare them with copies of your own (--list, --source)"
)


def _compare_with_exported(package: Package, items: PackedItems, progress: Progress) -> None:
    """RefusedError naming hashes in which what the server exported differs from the list at hand."""
    if package.list_path is None:
        return
    ours, theirs = difference(items, read_list([package.list_path], progress))
    if theirs:
        raise RefusedError(
            f"the server's list holds hashes that it may not hold: {', '.join(theirs)}; nothing was signed"
        )
    if ours:
        raise RefusedError(f"the server's list lacks hashes: {', '.join(ours)}; nothing was signed")


_LIMIT = "whether the hashes are of what they are said to be of: no computation tells that"
