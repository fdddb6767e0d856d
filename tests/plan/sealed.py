"""A voucher that was really sealed."""

from tpsi import (
    Device,
    Item,
    ItemHash,
    Manifest,
    Pool,
    Probes,
    Secret,
    Sharing,
    Source,
    Synthetic,
    build_table,
    derive,
    group,
    seal,
)


def sealed_size(suite: str, encoding: str, sharing: Sharing, probes: Probes, associated: bytes) -> int:
    """Octets of the voucher of an item with one probe, under a list with these parameters."""
    hashes = [ItemHash("md5", bytes([k] * 16)) for k in range(20)]
    chosen = group(suite)
    built = build_table(chosen, encoding, hashes)
    manifest = Manifest(
        list_id=bytes(16),
        name="test",
        epoch=1,
        previous=None,
        created=0,
        suite=suite,
        key=built.secrets.public_key(chosen),
        encoding=encoding,
        items=len(hashes),
        seed=built.table.seed,
        root=bytes(32),
        types=("md5",),
        sources=(Source("test", len(hashes)),),
        minimum_sources=1,
        sharing=sharing,
        synthetic=Synthetic(),
        probes=probes,
    )
    keys = derive(Secret(bytes(32)), Pool(manifest.list_id, 1, manifest.sharing))
    device = Device(manifest, built.table, keys, "test")
    (voucher,) = seal(device, [Item(b"1", (hashes[0],), associated)]).vouchers
    return len(voucher.data)
