"""The decoders of the protocol library. What they take, they encode to the same octets again."""

import json
from collections.abc import Callable, Iterator
from functools import reduce
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fuzz.harness import Target
from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World, md5
from tpsi import (
    CallerError,
    Group,
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
from tpsi.audit import prove_table
from tpsi.audit.absence import prove_absences
from tpsi.audit.proofs import AbsenceProof, TableProof
from tpsi.audit.published import PublishedAbsences
from tpsi.audit.sources import ListSignature, sign_list
from tpsi.detached import DetachedSignature
from tpsi.errors import DecodeError
from tpsi.log import (
    Checkpoint,
    Fork,
    Frontier,
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
from tpsi.plan.reading import parse_measurements
from tpsi.signing import Role, public_key, sign_manifest
from tpsi.voucher import decode_header

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_T = TypeVar("_T")


def _same(decode: Callable[[bytes], _T], encode: Callable[[_T], bytes]) -> Callable[[bytes], None]:
    """A decoder, and that what it takes is the one encoding of what it gives."""

    def run(data: bytes) -> None:
        assert encode(decode(data)) == data, "it is encoded to other octets"

    return run


def targets() -> Iterator[Target]:
    """All of them."""
    worlds = [World(range(12), suite, encoding) for suite in (RISTRETTO, P256) for encoding in ("fuse", "cuckoo")]
    manifests = [world.manifest.encoded for world in worlds]
    yield Target("manifest", _same(Manifest.decode, lambda it: it.encoded), manifests, (DecodeError,))
    envelopes = [SignedManifest(w.manifest, (sign_manifest(w.manifest, Role.SERVER, KEY),)).encode() for w in worlds]
    yield Target("signed-manifest", _same(SignedManifest.decode, SignedManifest.encode), envelopes, (DecodeError,))
    plain = [*manifests, b"{}", b'{"a":[1,"\\u00e9",null]}']
    yield Target("canonical", lambda data: canonical.decode(data, "it"), plain, (DecodeError,))
    yield from _vouchers(worlds[0])
    yield from _tables(worlds)
    items = [md5(1).encode(), ItemHash("pdq", bytes(32)).encode()]
    yield Target("item-hash", _same(ItemHash.decode, ItemHash.encode), items, (DecodeError,))
    text = [str(md5(1)).encode()]
    yield Target(
        "item-hash-text", lambda data: ItemHash.parse(data.decode("latin-1")), text, (DecodeError, CallerError)
    )
    photograph = [Photograph(bytes(32), b"jpeg").encode()]
    yield Target("photograph", _same(Photograph.decode, Photograph.encode), photograph, (DecodeError,))
    yield Target("field", _field, [(5).to_bytes(8, "big") * 3, (2**61 - 2).to_bytes(8, "big")], ())
    measured = [{"hash": "a", "probes": 1, "pairs": 5000, "false_matches": 0, "confidence": 0.95}]
    plans = [json.dumps({"measurements": measured}).encode()]
    reading = lambda data: parse_measurements(data.decode("latin-1"), "it")  # noqa: E731
    yield Target("measurements", reading, plans, (CallerError,))
    yield from _log(worlds[0])
    yield from _audit(worlds[0])


def _field(data: bytes) -> None:
    """The elements that a share is made of: none, or the ones that are encoded so."""
    found = field.decode(data)
    assert found is None or field.encode(found) == data, "it is encoded to other octets"


def _vouchers(world: World) -> Iterator[Target]:
    batch = world.seal([*range(6), "other"])
    samples = [voucher.data for voucher in batch.vouchers]
    headers = [Header.decode(data).encode() for data in samples]
    yield Target("voucher-header", Header.decode, headers, (DecodeError,))
    decode = _same(lambda data: Voucher.decode(data, world.manifest), Voucher.encode)
    yield Target("voucher", decode, samples, (DecodeError,))
    yield Target("voucher-at-ingest", lambda data: decode_header(data, world.manifest), samples, (DecodeError,))

    def slots(data: bytes) -> None:
        """Whatever is in the slots and the payload of a voucher that decodes, matching does not raise."""
        try:
            Voucher.decode(data, world.manifest)
        except DecodeError:
            return
        match(world.manifest, world.built.secrets, [Submission("alice", data)])

    yield Target("slots", slots, samples, ())
    honest = world.opened(batch)
    size = len(honest[0].share)

    def shares(data: bytes) -> None:
        """A hostile share and payload among honest ones: examined, without an error."""
        hostile = Opened(b"\xee" * 16, 0, data[:size], data[size:])
        world.examine([*honest, hostile])

    yield Target("share-payload", shares, [one.share + one.adct for one in honest], (), weight=20)


def _tables(worlds: list[World]) -> Iterator[Target]:
    """Whatever the cells are that an item is looked up in, there are candidates, and flags of what is wrong."""
    for world in worlds:
        table, suite = world.built.table, world.manifest.group
        samples = [table.read([md5(name).encode()]).tobytes() for name in range(4)]
        shape = (1, table.geometry.arity, suite.element_size)

        def lookup(
            data: bytes,
            suite: Group = suite,
            shape: tuple[int, int, int] = shape,
            count: int = table.geometry.candidates,
        ) -> None:
            size = shape[1] * shape[2]
            cells = np.frombuffer(data.ljust(size, b"\0")[:size], np.uint8).reshape(shape)
            elements, good = suite.candidates(cells, count)
            assert elements.shape == (1, count, suite.element_size), "there are as many as there can be"
            assert suite.valid(elements[good]).all(), "what is not flagged is an element"

        name = "table-cells" if world.suite == RISTRETTO else "table-cells-p256"
        yield Target(f"{name}-{world.encoding}", lookup, samples, (), weight=1 if world.suite == RISTRETTO else 5)


def _log(world: World) -> Iterator[Target]:
    leaves = [leaf_digest(bytes([number])) for number in range(9)]
    tree, other = Tree(leaves), Tree([*leaves[:4], leaf_digest(b"another"), *leaves[5:]])
    list_id = world.manifest.list_id
    signed = [sign_checkpoint(Checkpoint(list_id, size, tree.root(size)), KEY) for size in (5, 9)]
    forked = sign_checkpoint(Checkpoint(list_id, 9, other.root(9)), KEY)
    notes = [one.encode() for one in signed]
    yield Target("checkpoint", _same(SignedCheckpoint.decode, SignedCheckpoint.encode), notes, (DecodeError,))
    fork = Fork.between(public_key(KEY), signed[0], forked, other).encode()
    yield Target("fork", lambda data: Fork.decode(data).verify(), [fork], (TpsiError,))
    entries = (ManifestEntry(1, bytes(32)), PolicyEntry(1, None), RevealEntry(5, bytes(32)), OpeningEntry(5, 3))
    encoded = [entry.encoded for entry in entries]
    yield Target("log-entry", _same(decode_entry, lambda it: it.encoded), encoded, (DecodeError,))
    notice = Notice("alice", list_id, 1, 2, 3, bytes(32))
    yield Target("notice", _same(Notice.decode, lambda it: it.encoded), [notice.encoded], (DecodeError,))
    frontier = reduce(Frontier.with_leaf, leaves, Frontier()).encode().encode()
    yield Target("frontier", lambda data: Frontier.decode(data.decode("latin-1")), [frontier], (DecodeError,))


def _audit(world: World) -> Iterator[Target]:
    manifest = world.manifest
    names = sorted(md5(name).encode() for name in ("absent", "absent, too"))
    proof = prove_absences(manifest, world.built.table.cells, world.built.secrets, names, rng=Drbg("prover"))
    decode = _same(lambda data: AbsenceProof.decode(data, manifest), AbsenceProof.encode)
    yield Target("absence-proof", decode, [proof.encode()])
    listed = sorted(md5(name).encode() for name in range(12))
    table = prove_table(manifest, world.built.secrets, listed, rng=Drbg("prover")).encode()
    yield Target("table-proof", _same(lambda data: TableProof.decode(data, manifest), TableProof.encode), [table])
    published = PublishedAbsences(names, proof).encode()
    yield Target("published-negatives", lambda data: PublishedAbsences.decode(data, manifest), [published])
    signature = [sign_list(names, KEY).encode()]
    yield Target("list-signature", _same(ListSignature.decode, ListSignature.encode), signature, (DecodeError,))
    detached = DetachedSignature(manifest.digest, sign_manifest(manifest, Role.AUDITOR, KEY))
    decode_detached = _same(DetachedSignature.decode, DetachedSignature.encode)
    yield Target("detached-signature", decode_detached, [detached.encode()], (DecodeError,))
