"""Checkpoints, entries, notices and forks: one byte string for one value, and each attack refused by name."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.drbg import Drbg
from tpsi import CallerError, DecodeError, Secret, VerificationError
from tpsi.log import (
    Checkpoint,
    Disclosure,
    Entry,
    Fork,
    History,
    ManifestEntry,
    Notice,
    OpeningEntry,
    PolicyEntry,
    RevealEntry,
    SignedCheckpoint,
    Tree,
    decode_entry,
    draw_opening,
    sign_checkpoint,
)
from tpsi.log.notice import voucher_digest
from tpsi.merkle import leaf_digest
from tpsi.signing import public_key

SERVER = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
KEY = public_key(SERVER)
LIST = bytes(range(16))
LEAVES = [leaf_digest(bytes([number])) for number in range(9)]
TREE = Tree(LEAVES)


def signed(size: int = 9, tree: Tree = TREE, key: Ed25519PrivateKey = SERVER) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(LIST, size, tree.root(size)), key)


# ------------------------------------------------------------------ checkpoints


def test_a_checkpoint_is_a_note_in_the_form_of_c2sp() -> None:
    """Written out by hand from c2sp.org/tlog-checkpoint and c2sp.org/signed-note."""
    origin = "tpsi-v1-log/000102030405060708090a0b0c0d0e0f"
    text = f"{origin}\n9\n{b64encode(TREE.root()).decode()}\n"
    key_id = sha256(origin.encode() + b"\n\x01" + KEY).digest()[:4]
    line = f"— {origin} {b64encode(key_id + SERVER.sign(text.encode())).decode()}\n"
    assert signed().encode() == f"{text}\n{line}".encode()


def test_a_checkpoint_decodes_to_itself_and_verifies() -> None:
    again = SignedCheckpoint.decode(signed().encode())
    assert again == signed()
    assert again.verify(KEY, LIST) == Checkpoint(LIST, 9, TREE.root())
    assert SignedCheckpoint.decode(signed(0).encode()).verify(KEY, LIST).size == 0


@pytest.mark.parametrize(
    "change",
    [
        (b"\n9\n", b"\n09\n"),
        (b"\n9\n", b"\n-9\n"),
        (b"\n9\n", b"\n9 \n"),
        (b"\n9\n", b"\n99999999999999999\n"),
        (b"\n9\n", "\n٣\n".encode()),
        (b"=\n\n", b"=\nextension\n\n"),
        (b"=\n\n", b"=\n"),
        (b"tpsi-v1-log", b"another-log"),
        (b"/00", b"/AB"),
        (b"/00", b"/ff"),
        ("—".encode(), b"-"),
        (b"\n9\n", b"\r\n9\n"),
    ],
)
def test_a_note_in_another_form_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(DecodeError):
        SignedCheckpoint.decode(signed().encode().replace(*change, 1))


@pytest.mark.parametrize("data", [b"", b"\xff", signed().encode() * 2, signed().encode()[:-1], b"a" * 10_000])
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        SignedCheckpoint.decode(data)


def test_a_note_whose_base64_has_stray_bits_is_refused() -> None:
    """Two texts for one signature would let two observers hold different bytes of one checkpoint."""
    data = signed().encode()
    place = data.index(b"=\n\n") - 1
    stray = bytes([data[place] + 1])
    with pytest.raises(DecodeError):
        SignedCheckpoint.decode(data[:place] + stray + data[place + 1 :])


def test_a_checkpoint_by_another_key_or_of_another_list_is_refused() -> None:
    with pytest.raises(VerificationError, match="another key"):
        signed(key=OTHER).verify(KEY, LIST)
    with pytest.raises(VerificationError, match="another list"):
        signed().verify(KEY, bytes(16))


def test_a_forged_checkpoint_does_not_verify() -> None:
    forged = replace(signed(key=OTHER), key_id=signed().key_id)
    with pytest.raises(VerificationError, match="does not verify"):
        forged.verify(KEY, LIST)
    moved = replace(signed(), checkpoint=Checkpoint(LIST, 8, TREE.root(8)))
    with pytest.raises(VerificationError, match="does not verify"):
        moved.verify(KEY, LIST)


# ------------------------------------------------------------------ entries

ENTRIES: list[Entry] = [
    ManifestEntry(1, b"\x07" * 32),
    PolicyEntry(5, None),
    PolicyEntry(6, 3600),
    RevealEntry(7, b"\x08" * 32),
    OpeningEntry(3607, 3),
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_decodes_to_itself(entry: Entry) -> None:
    assert decode_entry(entry.encoded) == entry
    assert entry.leaf == leaf_digest(entry.encoded)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"type":"manifest"}',
        b'{"type":"other"}',
        b'{"index":3,"time":true,"type":"opening"}',
        b'{"index":-1,"time":1,"type":"opening"}',
        b'{"index":3,"more":1,"time":1,"type":"opening"}',
        b'{"time":1,"index":3,"type":"opening"}',
        b'{"commitment":"' + b"AB" * 32 + b'","time":1,"type":"reveal"}',
        b'{"commitment":"ab","time":1,"type":"reveal"}',
        b'{"digest":"' + b"ab" * 32 + b'","epoch":0,"type":"manifest"}',
        b'{"notify_after":-1,"time":1,"type":"policy"}',
        b'{"time":1,"type":"policy"}',
        b" " * 300,
    ],
)
def test_a_malformed_entry_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_entry(data)


def read(*entries: Entry) -> History:
    history = History()
    for entry in entries:
        history.add(entry)
    return history


def test_a_sound_log_is_read_through() -> None:
    history = read(*ENTRIES)
    assert (history.size, history.epochs, history.waiting) == (5, [b"\x07" * 32], {})
    waiting = read(*ENTRIES[:4])
    assert (waiting.overdue(3607), waiting.overdue(3608)) == ([], [3])


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([ManifestEntry(2, bytes(32))], "an epoch is missing"),
        ([ManifestEntry(1, bytes(32)), ManifestEntry(1, b"\x01" * 32)], "two manifests"),
        ([PolicyEntry(5, 1), RevealEntry(4, bytes(32))], "back in time"),
        ([RevealEntry(4, bytes(32))], "nobody is told"),
        ([PolicyEntry(1, 9), PolicyEntry(2, None), RevealEntry(4, bytes(32))], "nobody is told"),
        ([PolicyEntry(1, 9), OpeningEntry(2, 0)], "no commitment"),
        ([PolicyEntry(1, 9), RevealEntry(2, bytes(32)), OpeningEntry(11, 1), OpeningEntry(11, 1)], "no commitment"),
        ([PolicyEntry(1, 9), RevealEntry(2, bytes(32)), OpeningEntry(10, 1)], "1 seconds too early"),
    ],
)
def test_a_log_that_breaks_a_rule_is_refused(entries: list[Entry], reason: str) -> None:
    with pytest.raises(VerificationError, match=reason):
        read(*entries)


# ------------------------------------------------------------------ notices

NOTICE = Notice("alice", LIST, 42, 1000, 3, voucher_digest([bytes(16), b"\x01" * 16, b"\x02" * 16]))


def test_a_notice_decodes_to_itself() -> None:
    assert Notice.decode(NOTICE.encoded) == NOTICE
    for data in (b"{}", NOTICE.encoded[:-1], NOTICE.encoded.replace(b"alice", b"")):
        with pytest.raises(DecodeError):
            Notice.decode(data)


def test_a_commitment_opens_to_its_notice_and_no_other() -> None:
    opening = draw_opening(Drbg("opening"))
    entry = RevealEntry(1000, NOTICE.commitment(opening))
    assert Disclosure(7, opening, NOTICE).verify(entry) == NOTICE
    for other in (
        replace(NOTICE, account="bob"),
        replace(NOTICE, generation=43),
        replace(NOTICE, vouchers=2),
        replace(NOTICE, digest=bytes(32)),
    ):
        with pytest.raises(VerificationError, match="not what it committed to"):
            Disclosure(7, opening, other).verify(entry)
    with pytest.raises(VerificationError, match="not what it committed to"):
        Disclosure(7, Secret(bytes(32)), NOTICE).verify(entry)
    with pytest.raises(VerificationError, match="dates a reveal"):
        Disclosure(7, opening, NOTICE).verify(replace(entry, time=999))


def test_the_same_notice_under_two_openings_looks_unrelated() -> None:
    rng = Drbg("openings")
    assert NOTICE.commitment(draw_opening(rng)) != NOTICE.commitment(draw_opening(rng))
    with pytest.raises(CallerError, match="32 octets"):
        NOTICE.commitment(Secret(b"short"))


def test_a_set_of_vouchers_has_one_digest_in_any_order() -> None:
    ids = [bytes([number]) * 16 for number in range(4)]
    assert voucher_digest(ids) == voucher_digest(reversed(ids)) == voucher_digest([*ids, ids[0]])
    assert voucher_digest(ids) != voucher_digest(ids[:-1])


# ------------------------------------------------------------------ forks

FORKED = Tree([*LEAVES[:4], leaf_digest(b"for you alone"), *LEAVES[5:]])


@pytest.mark.parametrize(("first", "second"), [(9, 9), (5, 9), (7, 8), (8, 9), (5, 6)])
def test_two_views_of_one_log_are_proved(first: int, second: int) -> None:
    """Sizes that are a power of two among them: there the RFC's proof does not carry the first root."""
    fork = Fork.between(KEY, signed(second, FORKED), signed(first), FORKED)
    again = Fork.decode(fork.encode())
    assert again == fork
    assert [checkpoint.size for checkpoint in again.verify()] == [first, second]


def test_two_checkpoints_of_one_log_prove_nothing() -> None:
    for first in (3, 4, 9):
        with pytest.raises(VerificationError, match="no fork"):
            Fork.between(KEY, signed(first), signed(9), TREE).verify()


def test_a_suspicion_is_no_proof() -> None:
    with pytest.raises(VerificationError, match="owes the proof"):
        Fork.between(KEY, signed(5), signed(9, FORKED), None).verify()


def test_evidence_against_a_server_cannot_be_made_up() -> None:
    """By a stranger's signature, by another prefix, or by another proof."""
    with pytest.raises(VerificationError, match="another key"):
        Fork.between(KEY, signed(9), signed(9, FORKED, OTHER), None).verify()
    honest = Fork.between(KEY, signed(5), signed(9), TREE)
    with pytest.raises(VerificationError, match="does not lead"):
        replace(honest, prefix=bytes(32)).verify()
    with pytest.raises(VerificationError, match="does not lead"):
        replace(honest, prefix=FORKED.root(5), proof=tuple(FORKED.consistency(5, 9))).verify()


@given(st.binary(max_size=40), st.integers(0, 4000))
@settings(max_examples=60, deadline=None)
def test_damaged_evidence_is_refused_cleanly(junk: bytes, place: int) -> None:
    data = Fork.between(KEY, signed(5), signed(9, FORKED), FORKED).encode()
    with pytest.raises(DecodeError):
        Fork.decode(junk)
    spoiled = data[: place % len(data)] + b"x" + data[place % len(data) + 1 :]
    try:
        Fork.decode(spoiled).verify()
    except (DecodeError, VerificationError):
        return
    assert spoiled == data
