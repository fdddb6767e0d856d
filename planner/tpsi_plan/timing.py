"""How long this machine takes to seal a slot."""

import hashlib
import time

from tpsi import (
    Device,
    Item,
    ItemHash,
    Manifest,
    Pool,
    Secret,
    Sharing,
    Source,
    Synthetic,
    build_table,
    derive,
    group,
    seal,
)
from tpsi.merkle import DIGEST_SIZE
from tpsi.parameters import Probes

#: Slots sealed: enough for the fixed part of a batch not to count.
SLOTS = 256


def seconds_per_slot(suite: str, encoding: str, rows: int) -> float:
    """Seal SLOTS vouchers of one probe against a small table on one core, and divide."""
    hashes = [ItemHash("md5", hashlib.md5(b"%d" % k, usedforsecurity=False).digest()) for k in range(SLOTS)]
    chosen = group(suite)
    built = build_table(chosen, encoding, hashes)
    manifest = Manifest(
        list_id=bytes(16),
        name="timing",
        epoch=1,
        previous=None,
        created=0,
        suite=suite,
        key=built.secrets.public_key(chosen),
        encoding=encoding,
        items=len(hashes),
        seed=built.table.seed,
        root=bytes(DIGEST_SIZE),
        types=("md5",),
        sources=(Source("timing", len(hashes)),),
        minimum_sources=1,
        sharing=Sharing(30, rows),
        synthetic=Synthetic(),
        probes=Probes(),
    )
    keys = derive(Secret(bytes(32)), Pool(manifest.list_id, 1, manifest.sharing))
    device = Device(manifest, built.table, keys, "timing")
    items = [Item(hash_.digest, (hash_,), b"") for hash_ in hashes]
    seal(device, items[:8])
    start = time.perf_counter()
    seal(device, items)
    return (time.perf_counter() - start) / (SLOTS * manifest.geometry.candidates)
