"""What probes cost: octets and time for a device, and time for an operator who separates a list."""

import time
from collections.abc import Iterator

import numpy as np

from recall.report import row
from recall.summary import COUNTS
from tpsi import Item, ItemHash, Probes, Sharing, Synthetic, SyntheticMode, seal
from tpsi.groups import Rows
from tpsi.pictures import neighbours, reach
from tpsi.trial import trial_device

_TYPE, _BITS = "dct80", 80
_ROUNDS = 3
_SLOTS = 256  # sealed in a round


def costs(listed: int) -> Iterator[str]:
    """A table of what each number of probes costs; the list that is separated has `listed` unrelated hashes."""
    digests = _random(np.random.default_rng(1), listed)
    yield row("probes", "octets a voucher", "ms to seal a picture", "reach, bits", f"s to separate {listed:,} hashes")
    yield row(*["---"] * 5)
    for count in COUNTS:
        octets, seconds = _sealing(count)
        began = time.perf_counter()
        neighbours(digests, reach(count))
        apart = time.perf_counter() - began if count > 1 else 0.0
        yield row(count, octets, f"{seconds * 1000:.2f}", reach(count), f"{apart:.1f}")


def _sealing(count: int) -> tuple[int, float]:
    """Octets of a voucher, and processor seconds for one, the fastest of some rounds."""
    random = np.random.default_rng(count)
    known = [ItemHash(_TYPE, digest.tobytes()) for digest in _random(random, 1000)]
    synthetic = Synthetic(SyntheticMode.REPLACE, 50_000)
    device = trial_device(known, sharing=Sharing(30, 16), synthetic=synthetic, probes=Probes(count, True))
    pictures = max(2, _SLOTS // count)
    probes = _random(random, pictures * count).reshape(pictures, count, -1)
    hashes = [tuple(ItemHash(_TYPE, one.tobytes()) for one in mine) for mine in probes]
    items = [Item(b"%d" % number, mine) for number, mine in enumerate(hashes)]
    times: list[float] = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        batch = seal(device, items)
        times.append((time.process_time() - began) / pictures)
    return len(batch.vouchers[0].data), min(times)


def _random(random: np.random.Generator, count: int) -> Rows:
    """(count, 10): unrelated digests, half of the bits of each set."""
    rows = np.empty((count, _BITS // 8), np.uint8)
    for start in range(0, count, 1 << 16):
        some = min(1 << 16, count - start)
        order = random.random((some, _BITS)).argsort(axis=1)
        rows[start : start + some] = np.packbits(order < _BITS // 2, axis=1)
    return rows
