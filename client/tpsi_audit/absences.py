"""Published negatives, checked by whoever holds the table: an auditor with a package, or a device."""

from pathlib import Path

import numpy as np

from tpsi import Manifest, SignedManifest
from tpsi.audit import package as names
from tpsi.audit import verify_absences
from tpsi.audit.cells import check_digest
from tpsi.audit.published import MAX_FILE, PublishedAbsences
from tpsi.groups import Rows
from tpsi.signing import MAX_ENVELOPE
from tpsi.table import Progress
from tpsi_audit.errors import RefusedError
from tpsi_audit.verifying import silent
from tpsi_client.files import read_bounded


def verify_published(
    path: Path, folder: Path, *, server_key: bytes | None = None, progress: Progress = silent
) -> tuple[Manifest, int]:
    """Check that no name of a file is in the table in a folder: the manifest, and how many names there are.

    The folder is an auditor's package, or that of a table on a device: it has `manifest.json` and `table.bin`. Raises
    AuditError, VerificationError, DecodeError, RefusedError.
    """
    envelope = SignedManifest.decode(read_bounded(folder / names.MANIFEST, MAX_ENVELOPE, "signed manifest"))
    manifest = envelope.manifest if server_key is None else envelope.verify(server_key)
    cells = _cells(folder / names.TABLE, manifest)
    check_digest(manifest, cells, progress)
    published = PublishedAbsences.decode(read_bounded(path, MAX_FILE, "file of published negatives"), manifest)
    verify_absences(manifest, cells, published.names, published.proof, progress=progress)
    return manifest, len(published.names)


def _cells(path: Path, manifest: Manifest) -> Rows:
    if (size := path.stat().st_size) != manifest.table_bytes:
        raise RefusedError(f"{path} has {size} octets, the manifest says {manifest.table_bytes}")
    return np.memmap(path, np.uint8, "r", shape=(manifest.geometry.cells, manifest.group.element_size))
