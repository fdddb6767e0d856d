"""How long this machine takes to seal a slot."""

import hashlib
import time

from tpsi import Item, ItemHash, Probes, Sharing, Synthetic, seal
from tpsi.trial import trial_device

#: Slots sealed: enough for the fixed part of a batch not to count.
SLOTS = 256


def seconds_per_slot(suite: str, encoding: str, rows: int) -> float:
    """Seal SLOTS vouchers of one probe against a small table on one core, and divide."""
    hashes = [ItemHash("md5", hashlib.md5(b"%d" % k, usedforsecurity=False).digest()) for k in range(SLOTS)]
    device = trial_device(
        hashes, sharing=Sharing(30, rows), synthetic=Synthetic(), probes=Probes(), suite=suite, encoding=encoding
    )
    items = [Item(hash_.digest, (hash_,), b"") for hash_ in hashes]
    seal(device, items[:8])
    start = time.perf_counter()
    seal(device, items)
    return (time.perf_counter() - start) / (SLOTS * device.manifest.geometry.candidates)
