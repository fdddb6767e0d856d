"""The decoders of the protocol library."""

from collections.abc import Iterator

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fuzz.harness import Target
from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World, md5
from tpsi import (
    CallerError,
    Header,
    ItemHash,
    Manifest,
    Photograph,
    SignedManifest,
    Submission,
    TpsiError,
    Voucher,
    canonical,
    field,
    match,
)
from tpsi.audit.absence import prove_absences
from tpsi.audit.proofs import AbsenceProof
from tpsi.audit.published import PublishedAbsences
from tpsi.audit.sources import ListSignature, sign_list
from tpsi.detached import DetachedSignature
from tpsi.errors import DecodeError
from tpsi.log import (
    Checkpoint,
    Fork,
    ManifestEntry,
    Notice,
    OpeningEntry,
    PolicyEntry,
    RevealEntry,
    SignedCheckpoint,
    Tree,
    decode_entry,
    sign_checkpoint,
)
from tpsi.matching import Opened
from tpsi.merkle import leaf_digest
from tpsi.signing import Role, public_key, sign_manifest
from tpsi.voucher import decode_header

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def targets() -> Iterator[Target]:
    """All of them."""
    worlds = [World(range(12), suite, encoding) for suite in (RISTRETTO, P256) for encoding in ("fuse", "cuckoo")]
    manifests = [world.manifest.encoded for world in worlds]
    yield Target("manifest", Manifest.decode, manifests, (DecodeError,), weight=2)
    envelopes = [SignedManifest(w.manifest, (sign_manifest(w.manifest, Role.SERVER, KEY),)).encode() for w in worlds]
    yield Target("signed-manifest", SignedManifest.decode, envelopes, (DecodeError,), weight=2)
    plain = [*manifests, b"{}", b'{"a":[1,"\\u00e9",null]}']
    yield Target("canonical", lambda data: canonical.decode(data, "it"), plain, (DecodeError,))
    yield from _vouchers(worlds[0])
    yield from _tables(worlds)
    items = [md5(1).encode(), ItemHash("pdq", bytes(32)).encode()]
    yield Target("item-hash", ItemHash.decode, items, (DecodeError,))
    text = [str(md5(1)).encode()]
    yield Target(
        "item-hash-text", lambda data: ItemHash.parse(data.decode("latin-1")), text, (DecodeError, CallerError)
    )
    yield Target("photograph", Photograph.decode, [Photograph(bytes(32), b"jpeg").encode()], (DecodeError,))
    yield Target("field", field.decode, [(5).to_bytes(8, "big") * 3])
    yield from _log(worlds[0])
    yield from _audit(worlds[0])


def _vouchers(world: World) -> Iterator[Target]:
    batch = world.seal([*range(6), "other"])
    samples = [voucher.data for voucher in batch.vouchers]
    yield Target("voucher-header", Header.decode, [data[:40] for data in samples], (DecodeError,))
    yield Target("voucher", lambda data: Voucher.decode(data, world.manifest), samples, (DecodeError,))
    yield Target("voucher-at-ingest", lambda data: decode_header(data, world.manifest), samples, (DecodeError,))

    def slots(data: bytes) -> None:
        """Whatever is in the slots and the payload of a voucher that decodes, matching does not raise."""
        try:
            Voucher.decode(data, world.manifest)
        except DecodeError:
            return
        match(world.manifest, world.built.secrets, [Submission("alice", data)])

    yield Target("slots", slots, samples, (), weight=10)
    honest = world.opened(batch)
    size = len(honest[0].share)

    def shares(data: bytes) -> None:
        """A hostile share and payload among honest ones: examined, without an error."""
        hostile = Opened(b"\xee" * 16, 0, data[:size], data[size:])
        world.examine([*honest, hostile])

    yield Target("share-payload", shares, [one.share + one.adct for one in honest], (), weight=20)


def _tables(worlds: list[World]) -> Iterator[Target]:
    for world in worlds[:2]:
        shape, wanted = world.built.table.cells.shape, [md5(name).encode() for name in range(3)]

        def lookup(
            data: bytes, world: World = world, shape: tuple[int, ...] = shape, wanted: list[bytes] = wanted
        ) -> None:
            """Whatever the cells are, a lookup and a whole sealing go on."""
            padded = data.ljust(shape[0] * shape[1], b"\0")[: shape[0] * shape[1]]
            table = world.with_cells(np.frombuffer(padded, np.uint8).reshape(shape))
            table.lookup(wanted)

        samples = [world.built.table.cells.tobytes()]
        yield Target(f"table-cells-{world.encoding}", lookup, samples, (), weight=4)


def _log(world: World) -> Iterator[Target]:
    leaves = [leaf_digest(bytes([number])) for number in range(9)]
    tree, other = Tree(leaves), Tree([*leaves[:4], leaf_digest(b"another"), *leaves[5:]])
    list_id = world.manifest.list_id
    signed = [sign_checkpoint(Checkpoint(list_id, size, tree.root(size)), KEY) for size in (5, 9)]
    forked = sign_checkpoint(Checkpoint(list_id, 9, other.root(9)), KEY)
    yield Target("checkpoint", SignedCheckpoint.decode, [one.encode() for one in signed], (DecodeError,))
    fork = Fork.between(public_key(KEY), signed[0], forked, other).encode()
    yield Target("fork", lambda data: Fork.decode(data).verify(), [fork], (TpsiError,), weight=3)
    entries = (ManifestEntry(1, bytes(32)), PolicyEntry(1, None), RevealEntry(5, bytes(32)), OpeningEntry(5, 3))
    yield Target("log-entry", decode_entry, [entry.encoded for entry in entries], (DecodeError,))
    notice = Notice("alice", list_id, 1, 2, 3, bytes(32))
    yield Target("notice", Notice.decode, [notice.encoded], (DecodeError,))


def _audit(world: World) -> Iterator[Target]:
    manifest = world.manifest
    names = sorted(md5(name).encode() for name in ("absent", "absent, too"))
    proof = prove_absences(manifest, world.built.table.cells, world.built.secrets, names, rng=Drbg("prover"))
    yield Target("absence-proof", lambda data: AbsenceProof.decode(data, manifest), [proof.encode()])
    published = PublishedAbsences(names, proof).encode()
    yield Target("published-negatives", lambda data: PublishedAbsences.decode(data, manifest), [published], weight=3)
    yield Target("list-signature", ListSignature.decode, [sign_list(names, KEY).encode()], (DecodeError,))
    detached = DetachedSignature(manifest.digest, sign_manifest(manifest, Role.AUDITOR, KEY))
    yield Target("detached-signature", DetachedSignature.decode, [detached.encode()], (DecodeError,))
