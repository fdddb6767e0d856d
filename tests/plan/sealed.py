"""A voucher that was really sealed."""

from tpsi import Item, ItemHash, Probes, Sharing, Synthetic, seal
from tpsi.trial import trial_device


def sealed_size(suite: str, encoding: str, sharing: Sharing, probes: Probes, associated: bytes) -> int:
    """Octets of the voucher of an item with one probe, under a list with these parameters."""
    hashes = [ItemHash("md5", bytes([k] * 16)) for k in range(20)]
    device = trial_device(hashes, sharing=sharing, synthetic=Synthetic(), probes=probes, suite=suite, encoding=encoding)
    (voucher,) = seal(device, [Item(b"1", (hashes[0],), associated)]).vouchers
    return len(voucher.data)
