"""Manifests: one byte string for one value, and what a device refuses (specification, section 5)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import P256, World, md5
from tpsi import (
    CallerError,
    Canary,
    CountBy,
    DecodeError,
    Manifest,
    Pins,
    Probes,
    Role,
    Seen,
    Sharing,
    SignedManifest,
    Source,
    Synthetic,
    SyntheticMode,
    VerificationError,
    accept,
    sign_manifest,
)
from tpsi.merkle import CHUNK_SIZE, leaf_digest, leaves_of, root
from tpsi.signing import Signature, public_key

WORLD = World(range(12))
SERVER = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
AUDITOR = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
PINS = Pins(WORLD.manifest.list_id, public_key(SERVER), 3, modes=tuple(SyntheticMode))


def signed(manifest: Manifest, *auditors: Ed25519PrivateKey) -> SignedManifest:
    signatures = [sign_manifest(manifest, Role.AUDITOR, key) for key in auditors]
    return SignedManifest(manifest, (sign_manifest(manifest, Role.SERVER, SERVER), *signatures))


def next_of(manifest: Manifest, **changes: Any) -> Manifest:
    return replace(manifest, epoch=manifest.epoch + 1, previous=manifest.digest, **changes)


@pytest.mark.parametrize(
    "manifest",
    [
        WORLD.manifest,
        World([], encoding="cuckoo").manifest,
        World(range(3), suite=P256, probes=Probes(16, True)).manifest,
        replace(WORLD.manifest, canary=Canary("bird", bytes(32), (md5(1),)), name="Liste für Zürich"),
        replace(WORLD.manifest, sources=(Source("a", 1), Source("b", 2)), minimum_sources=2),
        replace(WORLD.manifest, synthetic=Synthetic(SyntheticMode.ADD, 1), sharing=Sharing(9, 3, CountBy.ITEM)),
        next_of(WORLD.manifest),
    ],
)
def test_a_manifest_decodes_to_itself(manifest: Manifest) -> None:
    assert Manifest.decode(manifest.encoded) == manifest
    assert manifest.encoded.isascii()


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The manifest's bytes with one member changed, still in canonical form."""
    value = json.loads(WORLD.manifest.encoded)
    change(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "unknown version": lambda m: m.update(version=2),
    "missing member": lambda m: m.pop("key"),
    "additional member": lambda m: m.update(more=1),
    "additional nested member": lambda m: m["table"].update(more=1),
    "degenerate segment length": lambda m: m["table"].update(segment_length=1),
    "too few cells": lambda m: m["table"].update(cells=3),
    "too few segments": lambda m: m["table"].update(segments=0),
    "geometry of another encoding": lambda m: m["table"].update(encoding="cuckoo"),
    "unknown encoding": lambda m: m["table"].update(encoding="bloom"),
    "negative number of items": lambda m: m["table"].update(items=-1),
    "more items than a table can hold": lambda m: m["table"].update(items=2**40),
    "number as text": lambda m: m["table"].update(items="12"),
    "boolean as number": lambda m: m.update(epoch=True),
    "unknown suite": lambda m: m.update(suite="TPSI-NONE"),
    "short key": lambda m: m.update(key=m["key"][2:]),
    "upper case hex": lambda m: m.update(key=m["key"].upper()),
    "file of another length": lambda m: m["file"].update(bytes=1),
    "chunks of another length": lambda m: m["file"].update(chunk=1),
    "threshold zero": lambda m: m["sharing"].update(threshold=0),
    "too few rows": lambda m: m["sharing"].update(rows=2),
    "unknown rule of counting": lambda m: m["sharing"].update(count_by="luck"),
    "synthetic rate without a mode": lambda m: m["synthetic"].update(per_million=5),
    "too high a synthetic rate": lambda m: m.update(synthetic={"mode": "add", "per_million": 500_001}),
    "no probes": lambda m: m["probes"].update(per_item=0),
    "first epoch with a predecessor": lambda m: m.update(previous="00" * 32),
    "second epoch without one": lambda m: m.update(epoch=2),
    "types out of order": lambda m: m.update(types=["sha1", "md5"]),
    "no sources": lambda m: m.update(sources=[]),
    "source named twice": lambda m: m.update(sources=[{"items": 1, "name": "a"}, {"items": 1, "name": "a"}]),
    "more sources demanded than there are": lambda m: m.update(minimum_sources=2),
    "empty canary": lambda m: m.update(canary={}),
    "control characters in the name": lambda m: m.update(name="a\x1bb"),
    "list in the place of an object": lambda m: m.update(table=[]),
    "null in the place of an object": lambda m: m.update(sharing=None),
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_manifest_is_refused(defect: str) -> None:
    with pytest.raises(DecodeError):
        Manifest.decode(changed(MALFORMED[defect]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"version":1}',
        b"\xff\xfe",
        b"[" * 60_000,
        b"{" + b" " * 70_000 + b"}",
        WORLD.manifest.encoded[:-1],
        WORLD.manifest.encoded + b"\n",
        WORLD.manifest.encoded.replace(b":1,", b":1.0,", 1),
        WORLD.manifest.encoded.replace(b":1,", b":01,", 1),
        WORLD.manifest.encoded.replace(b'"created":', b'"created":1e3,"created":', 1),
        WORLD.manifest.encoded.replace(b'"epoch":1', b'"epoch":1,"epoch":1', 1),
        WORLD.manifest.encoded.replace(b'"epoch":1', b'"epoch":' + b"9" * 5000, 1),
        WORLD.manifest.encoded.replace(b'"epoch":1', b'"epoch":NaN', 1),
        WORLD.manifest.encoded.replace(b",", b", ", 1),
        WORLD.manifest.encoded.replace(b"a test list", "ä test list".encode(), 1),
        WORLD.manifest.encoded.replace(b"a test list", b"\\u0061 test list", 1),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Manifest.decode(data)
    with pytest.raises(DecodeError):
        SignedManifest.decode(data)


@given(place=st.integers(0, 5000), value=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_changed_octet_is_refused_or_another_manifest(place: int, value: int) -> None:
    data = bytearray(WORLD.manifest.encoded)
    data[place % len(data)] = value
    try:
        manifest = Manifest.decode(bytes(data))
    except DecodeError:
        return
    assert manifest.encoded == bytes(data)
    assert (manifest.digest == WORLD.manifest.digest) == (bytes(data) == WORLD.manifest.encoded)


# ------------------------------------------------------------------ signatures


def test_an_envelope_decodes_to_itself_and_verifies() -> None:
    envelope = signed(WORLD.manifest, AUDITOR)
    again = SignedManifest.decode(envelope.encode())
    assert again == envelope
    assert again.verify(public_key(SERVER), [public_key(AUDITOR)]) == WORLD.manifest


def test_a_signature_by_another_key_is_not_the_server_s() -> None:
    envelope = SignedManifest(WORLD.manifest, (sign_manifest(WORLD.manifest, Role.SERVER, AUDITOR),))
    with pytest.raises(VerificationError, match="no signature by the server"):
        envelope.verify(public_key(SERVER))


def test_a_missing_auditor_is_named() -> None:
    with pytest.raises(VerificationError, match=f"auditor whose key begins {public_key(AUDITOR).hex()[:16]}"):
        signed(WORLD.manifest).verify(public_key(SERVER), [public_key(AUDITOR)])


def test_an_auditor_s_signature_is_not_a_server_s() -> None:
    """One key in two roles: a signature made in one does not count in the other."""
    made = sign_manifest(WORLD.manifest, Role.AUDITOR, SERVER)
    envelope = SignedManifest(WORLD.manifest, (replace(made, role=Role.SERVER),))
    with pytest.raises(VerificationError, match="does not verify"):
        envelope.verify(public_key(SERVER))


def test_a_signature_over_another_manifest_does_not_verify() -> None:
    other = replace(WORLD.manifest, sharing=Sharing(1, 16))
    envelope = SignedManifest(other, (sign_manifest(WORLD.manifest, Role.SERVER, SERVER),))
    with pytest.raises(VerificationError, match="was altered"):
        envelope.verify(public_key(SERVER))


def test_two_signatures_by_one_signer_are_refused() -> None:
    signature = sign_manifest(WORLD.manifest, Role.SERVER, SERVER)
    with pytest.raises(CallerError, match="different signers"):
        SignedManifest(WORLD.manifest, (signature, signature))


@pytest.mark.parametrize(
    "change", [{"role": "owner"}, {"key": "00"}, {"signature": 5}, {"more": 1}, {"key": "zz" * 32}]
)
def test_a_malformed_signature_is_refused(change: dict[str, Any]) -> None:
    value = json.loads(signed(WORLD.manifest).encode())
    value["signatures"][0].update(change)
    with pytest.raises(DecodeError):
        SignedManifest.decode(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


# ------------------------------------------------------------------ k of m auditors

AUDITORS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]
TWO_OF_THREE = replace(PINS, auditor_keys=tuple(map(public_key, AUDITORS)), auditors_needed=2)


@pytest.mark.parametrize("signers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_any_two_of_three_auditors_are_enough(signers: tuple[int, ...]) -> None:
    assert accept(signed(WORLD.manifest, *(AUDITORS[i] for i in signers)), TWO_OF_THREE, None) == WORLD.manifest


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_one_auditor_too_few_is_refused_and_the_missing_are_named(missing: int) -> None:
    signer = AUDITORS[(missing + 1) % 3]
    with pytest.raises(VerificationError, match="1 of the 2 auditors' signatures") as caught:
        accept(signed(WORLD.manifest, signer), TWO_OF_THREE, None)
    named = [key for key in AUDITORS if public_key(key).hex()[:16] in str(caught.value)]
    assert named == [key for key in AUDITORS if key is not signer]


def test_by_default_all_auditors_must_have_signed() -> None:
    pins = replace(TWO_OF_THREE, auditors_needed=None)
    assert accept(signed(WORLD.manifest, *AUDITORS), pins, None) == WORLD.manifest
    with pytest.raises(VerificationError, match="2 of the 3"):
        accept(signed(WORLD.manifest, *AUDITORS[:2]), pins, None)


def test_a_forged_auditor_s_signature_does_not_count() -> None:
    """Signed by the server under the auditor's name: it counts as missing, and the refusal says that it is false."""
    honest = signed(WORLD.manifest, AUDITORS[0])
    forged = Signature(Role.AUDITOR, public_key(AUDITORS[1]), sign_manifest(WORLD.manifest, Role.AUDITOR, SERVER).value)
    with pytest.raises(VerificationError, match="does not verify"):
        accept(replace(honest, signatures=(*honest.signatures, forged)), TWO_OF_THREE, None)


def test_an_auditor_who_signed_in_the_server_s_role_does_not_count() -> None:
    honest = signed(WORLD.manifest, AUDITORS[0])
    wrong_role = replace(sign_manifest(WORLD.manifest, Role.SERVER, AUDITORS[1]), role=Role.AUDITOR)
    with pytest.raises(VerificationError, match="1 of the 2"):
        accept(replace(honest, signatures=(*honest.signatures, wrong_role)), TWO_OF_THREE, None)


def test_auditors_whom_the_device_does_not_know_do_not_count() -> None:
    """A server can make as many auditors as it likes."""
    strangers = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(10, 20)]
    with pytest.raises(VerificationError, match="1 of the 2"):
        accept(signed(WORLD.manifest, AUDITORS[0], *strangers), TWO_OF_THREE, None)


def test_a_key_named_twice_is_refused() -> None:
    """Else one auditor would count for two."""
    key = public_key(AUDITORS[0])
    with pytest.raises(CallerError, match="named twice"):
        replace(PINS, auditor_keys=(key, key), auditors_needed=2)
    with pytest.raises(VerificationError, match="1 of the 2"):
        signed(WORLD.manifest, AUDITORS[0]).verify(public_key(SERVER), [key, key], 2)


@pytest.mark.parametrize("needed", [0, 4, -1])
def test_an_impossible_number_of_auditors_is_refused(needed: int) -> None:
    with pytest.raises(CallerError, match="of 3 auditors"):
        replace(TWO_OF_THREE, auditors_needed=needed)
    with pytest.raises(CallerError, match="of 0 auditors"):
        replace(PINS, auditors_needed=1)


def test_a_signature_is_added_to_the_envelope_only_if_it_is_one_of_the_manifest() -> None:
    envelope = signed(WORLD.manifest)
    with_auditor = envelope.signed_by(sign_manifest(WORLD.manifest, Role.AUDITOR, AUDITOR))
    assert with_auditor.signed_by(with_auditor.signatures[-1]) == with_auditor
    assert with_auditor == signed(WORLD.manifest, AUDITOR)
    with pytest.raises(VerificationError, match="does not verify"):
        envelope.signed_by(sign_manifest(next_of(WORLD.manifest), Role.AUDITOR, AUDITOR))


def test_separation_stands_on_an_auditor_s_signature() -> None:
    separated = replace(WORLD.manifest, probes=Probes(2, True))
    assert accept(signed(separated, *AUDITORS[:2]), TWO_OF_THREE, None) == separated
    with pytest.raises(VerificationError, match="1 of the 2"):
        accept(signed(separated, AUDITORS[0]), TWO_OF_THREE, None)


# ------------------------------------------------------------------ what a device accepts


def test_the_next_epoch_is_accepted() -> None:
    first, second = WORLD.manifest, next_of(WORLD.manifest)
    assert accept(signed(first), PINS, None) == first
    assert accept(signed(first), PINS, Seen(1, first.digest)) == first
    assert accept(signed(second), PINS, Seen(1, first.digest)) == second


def refused(manifest: Manifest, reason: str, pins: Pins = PINS, seen: Seen | None = None) -> None:
    with pytest.raises(VerificationError, match=reason):
        accept(signed(manifest), pins, seen)


def test_a_step_back_is_refused() -> None:
    second = next_of(WORLD.manifest)
    refused(WORLD.manifest, "steps back", seen=Seen(2, second.digest))


def test_a_fork_of_the_same_epoch_is_refused() -> None:
    fork = replace(WORLD.manifest, name="for you alone")
    refused(fork, "two different manifests for epoch 1", seen=Seen(1, WORLD.manifest.digest))


def test_a_next_epoch_that_follows_another_manifest_is_refused() -> None:
    fork = replace(WORLD.manifest, name="for you alone")
    refused(next_of(fork), "does not follow", seen=Seen(1, WORLD.manifest.digest))


def test_skipped_epochs_have_to_be_shown() -> None:
    third = next_of(next_of(WORLD.manifest))
    refused(third, "epochs 2 to 2 are missing", seen=Seen(1, WORLD.manifest.digest))


def test_the_manifest_of_another_list_is_refused() -> None:
    refused(replace(WORLD.manifest, list_id=bytes(16)), "another list")


def test_a_lower_threshold_than_pinned_is_refused() -> None:
    refused(
        next_of(WORLD.manifest, sharing=Sharing(2, 16)),
        "3 matching pictures can be enough",
        seen=Seen(1, WORLD.manifest.digest),
    )


def test_more_hash_types_do_not_lower_the_number_of_pictures_that_reveals() -> None:
    """A picture listed under two types counts twice, so a second type halves what a threshold protects."""
    two = replace(WORLD.manifest, types=("md5", "pdq"))
    refused(two, "2 matching pictures can be enough")
    assert accept(signed(replace(two, sharing=Sharing(6, 4))), PINS, None).sharing.threshold == 6
    by_item = replace(two, sharing=Sharing(3, 4, CountBy.ITEM))
    assert accept(signed(by_item), PINS, None) == by_item


def test_less_cover_than_demanded_is_refused() -> None:
    refused(WORLD.manifest, "synthetic", pins=replace(PINS, least_synthetic=1))


def test_a_suite_that_the_device_does_not_accept_is_refused() -> None:
    refused(WORLD.manifest, "ciphersuite", pins=replace(PINS, suites=(P256,)))


@pytest.mark.parametrize(
    "key", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31)], ids=["identity", "not canonical", "negative"]
)
def test_a_public_key_that_is_no_element_is_refused(key: bytes) -> None:
    refused(replace(WORLD.manifest, key=key), "not a valid group element")


def test_probes_without_separation_or_an_auditor_are_refused() -> None:
    refused(replace(WORLD.manifest, probes=Probes(2, False)), "separated")
    refused(replace(WORLD.manifest, probes=Probes(2, True)), "nobody but its server")


# ------------------------------------------------------------------ digest tree


@given(sizes=st.integers(0, 40))
def test_the_digest_tree_is_the_one_of_rfc_9162(sizes: int) -> None:
    """Against the RFC's recursive definition: split at the largest power of two below n."""
    import hashlib

    def recursive(leaves: list[bytes]) -> bytes:
        if not leaves:
            return hashlib.sha256(b"").digest()
        if len(leaves) == 1:
            return leaves[0]
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + recursive(leaves[:split]) + recursive(leaves[split:])).digest()

    leaves = leaves_of([bytes([i]) for i in range(sizes)])
    assert root(leaves) == recursive(leaves)


def test_a_leaf_is_not_a_node() -> None:
    """Without the prefixes, two leaf digests in a row would pass for a chunk."""
    pair = leaf_digest(b"a") + leaf_digest(b"b")
    assert root(leaves_of([b"a", b"b"])) != root(leaves_of([pair]))
    assert CHUNK_SIZE == 65_536
