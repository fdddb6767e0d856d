"""Audits from the server's side: the package for an auditor, and an auditor's signature on its way to the devices."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tpsi import ItemHash, Manifest, Role, SignedManifest, VerificationError
from tpsi.audit import AuditError, package, prove_absences, prove_table
from tpsi.audit.published import PublishedAbsences
from tpsi.detached import MAX_SIZE, DetachedSignature
from tpsi.groups import Rows
from tpsi.table import PackedItems, Progress, canonical_items
from tpsi_server.config import DataFolder
from tpsi_server.errors import OperatorError
from tpsi_server.files import locked, read_bounded, sync_folder, write_atomically
from tpsi_server.keys import KeyRing
from tpsi_server.lists import merge
from tpsi_server.store import Store
from tpsi_server.tables import MANIFEST_FILE, SCREENING_FILE, Epoch, epoch_folder, load_epoch, read_manifest


@dataclass(frozen=True, slots=True)
class Prepared:
    """A package: where it is, and how many hashes and lists of sources are in it."""

    path: Path
    items: int
    sources: int


def prepare(
    folder: DataFolder,
    store: Store,
    keys: KeyRing,
    number: int,
    to: Path,
    *,
    lists: bool = True,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Prepared:
    """Write what an auditor needs for an epoch into a new folder, all of it or nothing.

    With `lists` also the list and those of its sources, as they are in the store: they have to be the ones that the
    epoch was built from. Raises OperatorError if they are not, or there is something at `to`; KeyFileError.
    """
    epoch = require_epoch(folder, store, number)
    manifest = epoch.manifest
    left_out = _left_out(folder, number)
    items = _list(store, manifest, left_out, progress)
    try:
        proof = prove_table(manifest, keys.epoch(manifest), items, progress=progress)
    except AuditError as error:
        raise OperatorError(
            f"the lists are no longer those that epoch {number} was built from ({error}): "
            "build an epoch from what is here now, and have that audited"
        ) from None
    with _new_folder(to) as place:
        shutil.copyfile(epoch.table, place / package.TABLE)
        (place / package.MANIFEST).write_bytes(epoch.signed_manifest)
        write_private(place / package.PROOF, proof.encode())
        _write_left_out(place / package.LEFT_OUT, left_out)
        sources = _write_lists(place, store, manifest, items) if lists else 0
    return Prepared(to, len(items), sources)


def accept(folder: DataFolder, store: Store, data: bytes) -> tuple[Manifest, int]:
    """Add an auditor's signature to the envelope of its epoch; the manifest, and how many auditors have signed it.

    Devices get it with the next fetch. Raises DecodeError, VerificationError, OperatorError.
    """
    detached = DetachedSignature.decode(data)
    if detached.signature.role is not Role.AUDITOR:
        raise VerificationError("this is not the signature of an auditor")
    record = next((r for r in store.epochs.all() if r.digest == detached.manifest_digest), None)
    if record is None:
        raise OperatorError("the signature is under a manifest that this server does not have")
    path = epoch_folder(folder, record.number) / MANIFEST_FILE
    with locked(folder.tables / ".signatures.lock"):  # two auditors' signatures that come at once are both kept
        envelope = read_manifest(path, folder.identity()).signed_by(detached.signature)
        write_atomically(path, envelope.encode())
    return envelope.manifest, sum(one.role is Role.AUDITOR for one in envelope.signatures)


def absences(
    folder: DataFolder,
    store: Store,
    keys: KeyRing,
    number: int,
    names: PackedItems,
    *,
    progress: Progress = lambda _stage, _done, _total: None,
) -> bytes:
    """A file of published negatives for an epoch. AuditError with the reason LISTED if a name is on the list."""
    epoch = require_epoch(folder, store, number)
    manifest = epoch.manifest
    proof = prove_absences(manifest, cells_of(epoch), keys.epoch(manifest), names, progress=progress)
    return PublishedAbsences(names, proof).encode()


def reveals_export(folder: DataFolder, store: Store) -> dict[str, Any]:
    """All that an auditor needs to check that each reveal was committed to in the log, as JSON types.

    It names accounts and ids of vouchers, and shows nothing of what was revealed.
    """
    reveals = [
        {"voucher": voucher.hex(), "account": account, "revealed": int(revealed)}
        for voucher, account, revealed in store.log.revealed()
    ]
    store.log.commit()  # after they were read: each of them is in the log now
    return {
        "tpsi_reveals": 1,
        "list": folder.identity().list_id.hex(),
        "reveals": reveals,
        "notices": [
            {
                "index": record.disclosure.index,
                "opening": record.disclosure.opening.reveal().hex(),
                "notice": record.disclosure.notice.encoded.decode("ascii"),
                "vouchers": [one.hex() for one in record.voucher_ids],
            }
            for record in store.log.notices()
        ],
    }


def read_names(path: Path) -> PackedItems:
    """Names in a file, a `type:hex` a line. Raises DecodeError naming the line that is none."""
    with path.open("rb") as file:
        return canonical_items(package.from_lines(file, path.name))


def read_signature(path: Path) -> bytes:
    """The octets of a signature file."""
    return read_bounded(path, MAX_SIZE)


def require_epoch(folder: DataFolder, store: Store, number: int) -> Epoch:
    """An epoch whose table is here; OperatorError if there is none of this number."""
    record = next((record for record in store.epochs.all() if record.number == number), None)
    if record is None:
        raise OperatorError(f"there is no epoch {number}: see `tpsi-server tables`")
    epoch = load_epoch(folder, folder.identity(), record)
    if not epoch.table.exists():
        raise OperatorError(f"the table of epoch {number} is no longer here")
    return epoch


def cells_of(epoch: Epoch) -> Rows:
    """(cells, element_size): the table file, mapped."""
    manifest = epoch.manifest
    return np.memmap(epoch.table, np.uint8, "r", shape=(manifest.geometry.cells, manifest.group.element_size))


def _left_out(folder: DataFolder, number: int) -> dict[ItemHash, str]:
    """The hashes that screening left out of an epoch's table, with the reasons."""
    path = epoch_folder(folder, number) / SCREENING_FILE
    if not path.exists():
        return {}
    report = json.loads(path.read_bytes())
    common = {ItemHash.parse(one["hash"]): f"matches {one['reference']}" for one in report["too_common"]}
    return common | {ItemHash.parse(one["hash"]): f"is near to {one['kept']}" for one in report["too_near"]}


def _list(store: Store, manifest: Manifest, left_out: Iterable[ItemHash], progress: Progress) -> PackedItems:
    """The list that the rule of a manifest gives from what is in the store now, but for what screening left out."""
    names = [source.name for source in store.lists.sources()]
    if not names or manifest.minimum_sources > len(names):
        raise OperatorError("the sources that the epoch was built from are no longer here")
    progress("merging", 0, 1)
    with store.lists.all_items(names) as lists:
        merged = merge(lists, manifest.minimum_sources)
    items = merged.encodings.with_items(manifest.canary.hashes if manifest.canary else ())
    places = (items.find(item.encode()) for item in left_out)
    return items.without([place for place in places if place is not None])


def _write_lists(place: Path, store: Store, manifest: Manifest, items: Iterable[bytes]) -> int:
    """Write the list, and those of the sources, in text form; how many sources."""
    _write_lines(place / package.LIST, items)
    (place / package.SOURCES).mkdir()
    signatures = store.lists.signatures()
    here = {source.name for source in store.lists.sources()}
    named = [(number, source.name) for number, source in enumerate(manifest.sources, 1) if source.name in here]
    for number, name in named:
        _write_lines(place / package.source_list(number), canonical_items(store.lists.items(name)))
        if name in signatures:
            (place / package.source_signature(number)).write_bytes(signatures[name][0].encode())
    return len(named)


def _write_left_out(path: Path, left_out: Mapping[ItemHash, str]) -> None:
    lines = (f"# {reason}\n{item}\n" for item, reason in sorted(left_out.items()))
    path.write_text("".join(lines), "utf-8")


def _write_lines(path: Path, items: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(package.to_lines(items))


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)


@contextmanager
def _new_folder(to: Path) -> Iterator[Path]:
    """A folder to fill, which appears at its place when all is in it."""
    if to.exists():
        raise OperatorError(f"there is something at {to} already: name a new folder")
    to.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{to.name}.unfinished-", dir=to.parent))
    try:
        yield place
        os.rename(place, to)
        sync_folder(to.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def signers(envelope: SignedManifest) -> Sequence[bytes]:
    """The keys of the auditors whose signatures are in an envelope and verify."""
    auditors = (one.key for one in envelope.signatures if one.role is Role.AUDITOR)
    return [key for key in auditors if envelope.problem(Role.AUDITOR, key) is None]
