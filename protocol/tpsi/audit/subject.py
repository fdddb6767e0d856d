"""The manifest that a proof is about: what prover and verifier ask of it first (specification, section 15.2)."""

import numpy as np

from tpsi.audit.errors import AuditError, Reason
from tpsi.errors import CallerError
from tpsi.groups import Rows
from tpsi.manifest import Manifest
from tpsi.table import TableSecrets


def require_manifest(digest: bytes, manifest: Manifest) -> None:
    """AuditError unless a proof's digest is the manifest's."""
    if digest != manifest.digest:
        raise AuditError(
            Reason.OTHER_MANIFEST,
            f"the proof is about the manifest {digest.hex()[:16]}…, not about that of epoch {manifest.epoch}, "
            f"{manifest.digest.hex()[:16]}…",
        )


def require_key(manifest: Manifest) -> Rows:
    """(1, element_size): L; AuditError unless it is a valid element."""
    key = np.frombuffer(manifest.key, np.uint8).reshape(1, -1)
    if not manifest.group.valid(key)[0]:
        raise AuditError(Reason.INVALID_KEY, "the table's public key is not a valid group element")
    return key


def require_secrets(manifest: Manifest, table_secrets: TableSecrets) -> Rows:
    """(1, scalar_size): α; CallerError unless L = α·G."""
    if table_secrets.public_key(manifest.group) != manifest.key:
        raise CallerError("these are the secrets of another table than the manifest's")
    return table_secrets.scalar(manifest.group)


def silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody wants to see."""
