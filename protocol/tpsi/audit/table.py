"""The proof that a table holds exactly a list, and its check (specification, section 15.3)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from tpsi.audit.cells import Fill, check_digest, check_size, place, touched, weigh
from tpsi.audit.errors import AuditError, Reason
from tpsi.audit.lists import check_list, list_digest
from tpsi.audit.proofs import TableProof
from tpsi.audit.subject import require_key, require_manifest, require_secrets, silent
from tpsi.audit.sums import CellWeights, Sum, pieces
from tpsi.audit.transcript import Transcript
from tpsi.groups import Group, Rng, Rows
from tpsi.labels import Label
from tpsi.manifest import Manifest
from tpsi.secret import Secret
from tpsi.table import Layout, Progress, TableSecrets, hash_items


@dataclass(frozen=True, slots=True)
class AuditedTable:
    """What `verify_table` established: the table of this manifest holds the `items` hashes of this list and no other.

    `fill` cells of its `cells` hold nothing.
    """

    manifest_digest: bytes
    list_digest: bytes
    items: int
    cells: int
    fill: int


def prove_table(
    manifest: Manifest,
    table_secrets: TableSecrets,
    items: Sequence[bytes],
    *,
    rng: Rng = secrets.token_bytes,
    progress: Progress | None = None,
) -> TableProof:
    """Prove that the manifest's table, which these secrets made, holds exactly `items` (as `canonical_items` gives).

    The table is not read: if it is not the one that the list and the secrets give, the proof will not verify. `items`
    are read in batches, twice. Raises CallerError if the secrets are not the manifest's, AuditError for another list.
    """
    tell = progress or silent
    group, key, scalar = manifest.group, require_key(manifest), require_secrets(manifest, table_secrets)
    check_list(manifest, items, tell)
    transcript = _transcript(manifest, list_digest(items), table_secrets.fill_key)
    hashes = Sum(group)
    for start, stop in pieces(len(items)):
        hashes.add(transcript.weights(start, stop - start), hash_items(group, items[start:stop]))
        tell("weighing hashes", stop, len(items))
    proof = transcript.prove(key, hashes.value, scalar, rng)
    return TableProof(manifest.digest, table_secrets.fill_key, proof)


def verify_table(
    manifest: Manifest,
    cells: Rows,
    items: Sequence[bytes],
    proof: TableProof,
    *,
    progress: Progress | None = None,
) -> AuditedTable:
    """Check that the table `cells` (m, element_size) is the manifest's and holds exactly `items`. It may be a map
    of a file, which has to stay as it is meanwhile.

    Raises AuditError with the first of these that fails:
    1. the proof is about this manifest; 2. L is a valid element; 3. the items are canonical, and as many, of the types
    and with the canary that the manifest states; 4. the table has the manifest's size and digest; 5. the seed places
    all items; 6. cell by cell: what holds no item is fill, every cell is a valid element; 7. the equation of the proof.
    """
    tell = progress or silent
    group = manifest.group
    require_manifest(proof.manifest_digest, manifest)  # 1
    key = require_key(manifest)  # 2
    check_list(manifest, items, tell)  # 3
    check_size(manifest, cells)  # 4
    check_digest(manifest, cells, tell)
    layout = place(manifest, items)  # 5
    listed = list_digest(items)
    transcript = _transcript(manifest, listed, proof.fill_key)
    hashes, weights = _weigh_items(group, transcript, layout, tell)
    fill = Fill(group, layout, proof.fill_key)
    images = weigh(group, cells, weights, fill, tell)  # 6
    if not transcript.verify(key, hashes, images, proof.proof):  # 7
        raise AuditError(
            Reason.WRONG_PROOF,
            "the table does not hold this list: the value of at least one hash is missing or wrong, or the proof is",
        )
    return AuditedTable(manifest.digest, listed, len(items), len(cells), fill.count)


def _weigh_items(group: Group, transcript: Transcript, layout: Layout, tell: Progress) -> tuple[Rows, CellWeights]:
    """Σ w_i·H(x_i), and for every cell the sum of the weights that it takes part in."""
    hashes, weights, around = Sum(group), CellWeights(layout.geometry.cells), touched(layout)
    for start, stop in pieces(len(layout.items)):
        batch = transcript.weights(start, stop - start)
        hashes.add(batch, hash_items(group, layout.items[start:stop]))
        weights.add(batch, around[start:stop])
        tell("weighing hashes", stop, len(layout.items))
    return hashes.value, weights


def _transcript(manifest: Manifest, listed: bytes, fill_key: Secret) -> Transcript:
    """Manifest digest and list digest bind all pairs (H(x), lookup(x)) in order: the specification says why."""
    return Transcript.of(manifest.group, Label.AUDIT_TABLE, manifest.digest, listed, fill_key.reveal())
