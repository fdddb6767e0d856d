"""The proof that named items are not in a table, for one or for many, and its check (specification, section 15.4)."""

import hashlib
import secrets
from collections.abc import Sequence

import numpy as np

from tpsi.audit.cells import check_size
from tpsi.audit.errors import AuditError, Reason
from tpsi.audit.lists import check_items
from tpsi.audit.proofs import MAX_NAMES, AbsenceProof
from tpsi.audit.subject import require_key, require_manifest, require_secrets, silent
from tpsi.audit.sums import Sum, pieces
from tpsi.audit.transcript import Transcript
from tpsi.errors import CallerError
from tpsi.groups import Rng, Rows
from tpsi.items import ItemHash
from tpsi.labels import Label
from tpsi.manifest import Manifest
from tpsi.table import BlindedTable, Progress, TableSecrets, hash_items


def prove_absences(
    manifest: Manifest,
    cells: Rows,
    table_secrets: TableSecrets,
    names: Sequence[bytes],
    *,
    rng: Rng = secrets.token_bytes,
    progress: Progress | None = None,
) -> AbsenceProof:
    """Prove that the named items (encoded, distinct, ascending, as `canonical_items`) are not in the manifest's table.

    Raises AuditError with the reason LISTED if one is. Nothing is made then. A refusal tells that the
    item is listed: a server answers nobody but its operator. CallerError if the secrets are of another table, or
    there are no names or too many.
    """
    tell = progress or silent
    group, key, scalar = manifest.group, require_key(manifest), require_secrets(manifest, table_secrets)
    if not 1 <= len(names) <= MAX_NAMES:
        raise CallerError(f"an absence proof is about 1 to {MAX_NAMES} names, not {len(names)}")
    check_items(names, silent)
    values = np.zeros((len(names), group.element_size), np.uint8)
    for start, stop in pieces(len(names)):
        values[start:stop] = group.multiply(scalar, hash_items(group, names[start:stop]))
        tell("blinding names", stop, len(names))
    _require_absent(manifest, cells, names, values, tell)
    transcript = _transcript(manifest, names, values)
    weighted = _weigh_names(transcript, names, tell)
    return AbsenceProof(manifest.digest, values, transcript.prove(key, weighted, scalar, rng))


def verify_absences(
    manifest: Manifest,
    cells: Rows,
    names: Sequence[bytes],
    proof: AbsenceProof,
    *,
    progress: Progress | None = None,
) -> None:
    """Check that none of the named items (encoded, distinct, ascending) is in the table `cells` of the manifest.

    The caller has checked that `cells` is the manifest's table: a device does when it takes it, `verify_table` does it.
    Raises AuditError with the first of these that fails:
    1. the proof is about this manifest; 2. L is a valid element; 3. the names are canonical, and as many as the values;
    4. every value is a valid element; 5. the equation of the proof; 6. no lookup gives the value of its name.
    """
    tell = progress or silent
    require_manifest(proof.manifest_digest, manifest)  # 1
    key = require_key(manifest)  # 2
    check_items(names, silent)  # 3
    if len(names) != len(proof.values):
        raise AuditError(
            Reason.ITEM_COUNT, f"the proof is about {len(proof.values)} names, not about these {len(names)}"
        )
    _require_valid(manifest, names, proof.values)  # 4
    transcript = _transcript(manifest, names, proof.values)
    weighted, images = _weigh_names(transcript, names, tell), _weigh_values(transcript, proof.values)
    if not transcript.verify(key, weighted, images, proof.proof):  # 5
        raise AuditError(Reason.WRONG_PROOF, "the proof does not show that these values belong to these names")
    _require_absent(manifest, cells, names, proof.values, tell)  # 6


def _require_valid(manifest: Manifest, names: Sequence[bytes], values: Rows) -> None:
    wrong = np.flatnonzero(~manifest.group.valid(values))
    if len(wrong):
        raise AuditError(
            Reason.INVALID_VALUE, f"the value for {ItemHash.decode(names[int(wrong[0])])} is not a valid element"
        )


def _require_absent(manifest: Manifest, cells: Rows, names: Sequence[bytes], values: Rows, tell: Progress) -> None:
    check_size(manifest, cells)
    table = BlindedTable(manifest.group, manifest.geometry, manifest.seed, cells)
    for start, stop in pieces(len(names)):
        found = table.lookup(names[start:stop])
        same = (found.elements == values[start:stop, None, :]).all(axis=2) & found.good
        listed = np.flatnonzero(same.any(axis=1))
        if len(listed):
            raise AuditError(Reason.LISTED, f"{ItemHash.decode(names[start + int(listed[0])])} is in the table")
        tell("looking up names", stop, len(names))


def _weigh_names(transcript: Transcript, names: Sequence[bytes], tell: Progress) -> Rows:
    total = Sum(transcript.group)
    for start, stop in pieces(len(names)):
        total.add(transcript.weights(start, stop - start), hash_items(transcript.group, names[start:stop]))
        tell("weighing names", stop, len(names))
    return total.value


def _weigh_values(transcript: Transcript, values: Rows) -> Rows:
    total = Sum(transcript.group)
    for start, stop in pieces(len(values)):
        total.add(transcript.weights(start, stop - start), values[start:stop])
    return total.value


def _transcript(manifest: Manifest, names: Sequence[bytes], values: Rows) -> Transcript:
    """Nothing else binds the values, so they are hashed with their names."""
    digest = hashlib.sha256(Label.AUDIT_NAMES + len(names).to_bytes(8, "big"))
    for name, value in zip(names, values, strict=True):
        digest.update(name + value.tobytes())
    return Transcript.of(manifest.group, Label.AUDIT_ABSENCE, manifest.digest, digest.digest())
