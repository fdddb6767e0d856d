"""Which vouchers open, what they look like, and what is used once (specification, sections 7 and 8)."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

import tpsi.matching
import tpsi.symmetric
import tpsi.voucher
from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World, items_of, md5
from tpsi import (
    CallerError,
    CountBy,
    DecodeError,
    Device,
    Item,
    Kind,
    Probes,
    Secret,
    Sharing,
    Submission,
    Synthetic,
    SyntheticMode,
    TableSecrets,
    Voucher,
    match,
    seal,
    voucher_size,
)
from tpsi.randomness import draw, permutation
from tpsi.voucher import capacity, pad, padded_size, smallest_class, unpad


@pytest.fixture(scope="module", params=["fuse", "cuckoo"])
def world(request: pytest.FixtureRequest) -> World:
    return World(range(30), encoding=request.param)


def test_only_listed_items_open(world: World) -> None:
    names = [*range(5), *range(100, 110)]
    batch = world.seal(names)
    assert [one is not None for one in world.match(batch)] == [name < 30 for name in names]


def test_the_p256_suite_opens_the_same_ones() -> None:
    world = World(range(6), suite=P256)
    batch = world.seal([0, 5, 77])
    assert [one is not None for one in world.match(batch)] == [True, True, False]


def test_an_opened_voucher_gives_the_share_of_the_hash(world: World) -> None:
    first = world.opened(world.seal([3]))
    second = world.opened(world.seal([3], world.device(), size_class=7))
    other = world.opened(world.seal([4]))
    assert first[0].share == second[0].share
    assert first[0].share[:8] != other[0].share[:8]
    assert first[0].voucher_id != second[0].voucher_id


def test_another_account_secret_or_generation_gives_unrelated_shares(world: World) -> None:
    shares = {
        world.opened(world.seal([3], device))[0].share[:8]
        for device in (
            world.device(),
            world.device(account_secret=b"\x22" * 32),
            world.device(generation=1),
        )
    }
    assert len(shares) == 3


def test_sizes_are_those_that_the_specification_states() -> None:
    for suite, size in ((RISTRETTO, 288), (P256, 289)):
        for threshold in (1, 30, 1000):
            world = World([1, 2], suite=suite, sharing=Sharing(threshold, 16))
            batch = seal(world.device(), [Item(b"i", (md5(1),))])
            assert len(batch.vouchers[0].data) == size == voucher_size(world.manifest, 0)


def test_every_voucher_of_a_device_has_the_same_shape() -> None:
    world = World(range(30), synthetic=Synthetic(SyntheticMode.REPLACE, 400_000), probes=Probes(3, True))
    batch = world.seal([*range(10), *range(100, 120), 1, 2], size_class=9)
    assert {voucher.kind for voucher in batch.vouchers} == set(Kind)
    assert {len(voucher.data) for voucher in batch.vouchers} == {voucher_size(world.manifest, 9)}


@pytest.mark.parametrize("mode", [SyntheticMode.REPLACE, SyntheticMode.ADD])
def test_synthetic_vouchers_open_and_their_shares_repeat_for_the_same_hash(mode: SyntheticMode) -> None:
    world = World([1], synthetic=Synthetic(mode, 300_000))
    batch = world.seal(range(100, 160))
    again = world.seal(range(100, 160))
    kinds = [voucher.kind for voucher in batch.vouchers]
    synthetic = kinds.count(Kind.SYNTHETIC)
    assert 5 <= synthetic <= 40
    assert len(kinds) == (60 if mode is SyntheticMode.REPLACE else 60 + synthetic)
    opened = world.match(batch)
    assert [one is not None for one in opened] == [kind is Kind.SYNTHETIC for kind in kinds]
    assert [one.share for one in opened if one] == [one.share for one in world.opened(again)]


def test_a_synthetic_voucher_s_share_and_payload_are_sized_like_a_real_one_s() -> None:
    world = World(range(30), synthetic=Synthetic(SyntheticMode.REPLACE, 500_000))
    opened = world.opened(world.seal(range(60)))
    assert len({(len(one.share), len(one.adct), one.malformed) for one in opened}) == 1


def test_counting_items_gives_copies_of_a_hash_their_own_coordinates() -> None:
    world = World(range(5), sharing=Sharing(3, 4, CountBy.ITEM))
    copies = [Item(bytes([i]), (md5(2),)) for i in range(4)]
    opened = [world.opened(seal(world.device(), [copy]))[0] for copy in copies]
    assert len({one.share[:8] for one in opened}) == 4


def test_probes_open_whichever_of_them_is_listed() -> None:
    world = World(range(5), probes=Probes(4, True))
    item = Item(b"i", (md5("no"), md5("neither"), md5(3)), b"data")
    batch = seal(world.device(), [item], rng=Drbg("probes"))
    assert len(Voucher.decode(batch.vouchers[0].data, world.manifest).slots) == 4
    assert world.opened(batch)[0].share == world.opened(world.seal([3]))[0].share


def test_more_probes_than_the_manifest_allows_are_refused(world: World) -> None:
    with pytest.raises(CallerError, match="allows 1 probes"):
        seal(world.device(), [Item(b"i", (md5(1), md5(2)))])


def test_a_device_needs_the_table_and_keys_of_its_manifest(world: World) -> None:
    other = World(range(30), seed="other")
    with pytest.raises(CallerError, match="not the one that the manifest describes"):
        Device(world.manifest, other.built.table, world.keys(), "alice")
    with pytest.raises(CallerError, match="another list"):
        Device(world.manifest, world.built.table, other.keys(), "alice")
    for account in ("", "x" * 65, "zoë", "a\nb"):
        with pytest.raises(CallerError, match="printable ASCII"):
            Device(world.manifest, world.built.table, world.keys(), account)


def test_matching_with_another_table_s_secrets_is_refused(world: World) -> None:
    with pytest.raises(CallerError, match="another table"):
        match(world.manifest, TableSecrets.draw(world.manifest.group), [])


# ------------------------------------------------------------------ context


def test_a_voucher_delivered_for_another_account_opens_nothing(world: World) -> None:
    assert world.match(world.seal([1, 2]), account="bob") == [None, None]


def test_a_voucher_of_another_epoch_is_refused(world: World) -> None:
    later = World(range(30), encoding=world.encoding, seed="later")
    data = later.seal([1]).vouchers[0].data
    with pytest.raises(DecodeError, match="another epoch or list"):
        Voucher.decode(data, world.manifest)


@pytest.mark.parametrize("place", [17, 33, 36], ids=["voucher id", "generation", "generation's last octet"])
def test_a_changed_header_opens_nothing(world: World, place: int) -> None:
    data = bytearray(world.seal([1]).vouchers[0].data)
    data[place] ^= 1
    submission = Submission("alice", bytes(data))
    assert match(world.manifest, world.built.secrets, [submission]) == [None]


@given(place=st.integers(40, 287), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_changed_body_opens_nothing(place: int, bit: int) -> None:
    world = _small()
    data = bytearray(_small_voucher())
    data[place % len(data)] ^= 1 << bit
    try:
        opened = match(world.manifest, world.built.secrets, [Submission("alice", bytes(data))])
    except DecodeError:
        return
    if bytes(data) != _small_voucher():
        assert opened == [None]


_CACHE: dict[str, object] = {}


def _small() -> World:
    return _CACHE.setdefault("world", World([1, 2], sharing=Sharing(3, 16)))  # type: ignore[return-value]


def _small_voucher() -> bytes:
    return _CACHE.setdefault("voucher", _small().seal([1]).vouchers[0].data)  # type: ignore[return-value]


def test_a_bad_voucher_never_stops_the_matching_of_the_next(world: World) -> None:
    """Every way in which one voucher of a batch can be spoilt; the others open."""
    data = world.seal([1]).vouchers[0].data
    element, start = world.manifest.group.element_size, 40
    replacements = (bytes(element), b"\xff" * element, b"\x01" + bytes(element - 1))
    spoilt = [data[:start] + replacement + data[start + element :] for replacement in replacements]
    spoilt.append(data[:-1] + bytes([data[-1] ^ 1]))
    good = world.seal([2, 3]).vouchers
    order = [good[0].data, *spoilt, good[1].data]
    submissions = [Submission("alice", one) for one in order]
    opened = [one is not None for one in match(world.manifest, world.built.secrets, submissions)]
    assert opened[0]
    assert opened[-1]
    assert opened[4] is False  # the payload is spoilt: a slot opens, the voucher does not


def test_the_identity_as_q_gives_nobody_a_known_key(world: World) -> None:
    """Q = identity would make S the identity for every α: anyone could seal for that key."""
    manifest, group = world.manifest, world.manifest.group
    zero = bytes(group.element_size)
    key = tpsi.voucher.slot_key(manifest, zero, zero)
    voucher = Voucher.decode(world.seal([100]).vouchers[0].data, manifest)
    bound = tpsi.voucher.context(manifest, voucher.header, "alice")
    content = bytes(32) + bytes(8 * 5)
    forged = tpsi.Slot(zero, tpsi.symmetric.seal(key, content, tpsi.voucher.slot_data(bound)))
    rct = tpsi.symmetric.seal(bytes(32), bytes(len(voucher.rct) - 16), tpsi.voucher.payload_data(bound))
    made = Voucher(voucher.header, (forged,) * len(voucher.slots), rct)
    assert match(manifest, world.built.secrets, [Submission("alice", made.encode())]) == [None]


# ------------------------------------------------------------------ one key, one message


@pytest.fixture
def sealed_with(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Every (key, nonce) pair given to the cipher, observed at the library's own encryption."""
    pairs: list[tuple[bytes, bytes]] = []
    real = ChaCha20Poly1305

    class Watched:
        def __init__(self, key: bytes) -> None:
            self._key, self._cipher = key, real(key)

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
            pairs.append((self._key, nonce))
            return self._cipher.encrypt(nonce, data, associated)

        def decrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
            return self._cipher.decrypt(nonce, data, associated)

    monkeypatch.setattr("tpsi.symmetric.ChaCha20Poly1305", Watched)
    monkeypatch.setenv("TPSI_BACKEND", "library")  # the native core is given the same keys: tests/protocol/test_bulk.py
    return pairs


def test_no_key_and_nonce_pair_ever_repeats(sealed_with: list[tuple[bytes, bytes]]) -> None:
    world = World(range(20), synthetic=Synthetic(SyntheticMode.ADD, 300_000), probes=Probes(2, True))
    for generation in range(2):
        for _ in range(2):  # the same items again: same shares, new keys
            device = world.device(generation=generation)
            seal(device, items_of([*range(10), *range(100, 110), 1]))
    assert len(sealed_with) > 4 * 21 * 4
    assert len(set(sealed_with)) == len(sealed_with)
    assert {nonce for _, nonce in sealed_with} == {bytes(12)}


# ------------------------------------------------------------------ padding and permutation


@given(data=st.binary(max_size=700), extra=st.integers(0, 3))
def test_padding_is_undone_and_of_its_class_s_size(data: bytes, extra: int) -> None:
    size_class = smallest_class(len(data)) + (extra if data else 0)
    padded = pad(data, size_class)
    assert len(padded) == padded_size(size_class)
    assert unpad(padded) == data


def test_size_classes_are_the_specified_ones() -> None:
    assert [padded_size(c) for c in (0, 1, 2, 3, 4, 13, 23)] == [0, 64, 96, 128, 192, 4096, 131_072]
    assert smallest_class(0) == 0
    assert smallest_class(1) == 1
    assert all(smallest_class(capacity(c)) == c for c in range(24))


@pytest.mark.parametrize("padded", [b"\0", b"\0\0\0\x09abc", b"\0\0\0\x01ab\0", b"\xff" * 64])
def test_wrong_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(DecodeError):
        unpad(padded)


def test_associated_data_that_is_too_long_stops_the_batch_before_anything_is_sealed(world: World) -> None:
    with pytest.raises(CallerError, match="do not fit size class 1"):
        seal(world.device(), [Item(b"a", (md5(1),)), Item(b"b", (md5(2),), bytes(61))], size_class=1)
    with pytest.raises(CallerError, match="at most 131068"):
        seal(world.device(), [Item(b"b", (md5(2),), bytes(131_069))])


def test_permutations_are_permutations_and_all_occur() -> None:
    rng = Drbg("permutation")
    seen = {tuple(permutation(3, rng)) for _ in range(200)}
    assert len(seen) == 6
    assert all(sorted(order) == [0, 1, 2] for order in seen)


def _first_kind(world: World, account_secret: bytes) -> Kind:
    return world.seal([1], world.device(account_secret=account_secret)).vouchers[0].kind


def test_slots_stand_in_random_order() -> None:
    """The place of the slot that opens takes every value, for real and for synthetic vouchers."""
    world = World([1], probes=Probes(3, True), synthetic=Synthetic(SyntheticMode.REPLACE, 500_000))
    places: dict[Kind, set[int]] = {Kind.REAL: set(), Kind.SYNTHETIC: set()}
    real = next(key for key in range(50) if _first_kind(world, bytes([key]) * 32) is Kind.REAL)
    device = world.device(account_secret=bytes([real]) * 32)
    names = [1] * 12 + list(range(100, 124))
    for name in names:
        sealed = seal(device, items_of([name]), rng=world.rng).vouchers[0]
        voucher = Voucher.decode(sealed.data, world.manifest)
        for place, slot in enumerate(voucher.slots):
            s = world.manifest.group.multiply(
                world.built.secrets.scalar(world.manifest.group),
                np.frombuffer(slot.q, "u1").reshape(1, -1),
            )
            bound = tpsi.voucher.context(world.manifest, voucher.header, "alice")
            key = tpsi.voucher.slot_key(world.manifest, s.tobytes(), slot.q)
            if tpsi.symmetric.open_sealed(key, slot.ct, tpsi.voucher.slot_data(bound)) is not None:
                places[sealed.kind].add(place)
    assert places == {Kind.REAL: {0, 1, 2}, Kind.SYNTHETIC: {0, 1, 2}}


def test_secrets_do_not_show_in_representations() -> None:
    world = World([1, 2])
    secret = b"\x5a" * 32
    device = world.device(account_secret=secret)
    drawn = draw(world.manifest.group, 1, 1, Drbg("drawn"))
    shown = " ".join(
        map(repr, (device, device.keys, world.built, Secret(secret), drawn, world.opened(world.seal([1]))))
    )
    hidden = [
        secret,
        device.keys.ad_key.reveal(),
        device.keys.coordinate_key.reveal(),
        world.built.secrets.alpha.reveal(),
        world.built.secrets.fill_key.reveal(),
        world.opened(world.seal([1]))[0].share,
        drawn.rkeys.tobytes(),
    ]
    for value in hidden:
        assert value.hex() not in shown
        assert repr(value)[2:-1] not in shown


def test_sixteen_probes_fit_into_three_thousand_six_hundred_octets() -> None:
    """Each slot takes 216 octets with 16 rows; a voucher without associated data has 72 besides."""
    world = World(["a"], sharing=Sharing(30, 16), probes=Probes(16, True))
    item = Item(b"a", tuple(md5(f"probe {number}") for number in range(16)))
    voucher = seal(world.device(), [item], rng=world.rng).vouchers[0].data
    assert len(voucher) == 72 + 16 * 216 < 3600
