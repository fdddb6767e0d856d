"""Sealing: from a device's items to vouchers (specification, sections 7.2 to 7.6).

`seal` draws the randomness and `_seal`, its private twin, takes it; nothing here keeps state, and nothing fails or
changes shape because of what a table holds.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tpsi.account import AccountKeys, identifier_subject, is_chosen, memory_tag, shares, synthetic_share
from tpsi.errors import CallerError
from tpsi.groups import Group, Rng, Rows
from tpsi.items import ItemHash
from tpsi.labels import Label
from tpsi.manifest import Manifest
from tpsi.parameters import CountBy, SyntheticMode
from tpsi.symmetric import KEY_SIZE, kdf
from tpsi.symmetric import seal as aead
from tpsi.table import BlindedTable, hash_items
from tpsi.voucher import (
    VOUCHER_ID_SIZE,
    Header,
    Slot,
    Voucher,
    context,
    encode_account,
    pad,
    padded_size,
    payload_data,
    share_size,
    slot_count,
    slot_data,
    smallest_class,
)


class Kind(Enum):
    """What a voucher is; the device knows, the server does not (7.5)."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a device: its identifier (1 to 64 octets), its probes, the likeliest first, and associated data.

    Without perceptual probing `probes` is the item's one hash.
    """

    identifier: bytes
    probes: tuple[ItemHash, ...]
    associated: bytes = b""

    def __post_init__(self) -> None:
        identifier_subject(self.identifier)
        if not self.probes or len(set(self.probes)) != len(self.probes):
            raise CallerError("an item has at least one probe, and no probe twice")


@dataclass(frozen=True, slots=True)
class Device:
    """What stays the same while a device seals under one manifest.

    Raises CallerError if table and keys do not belong to the manifest; `account` is its name at the server.
    """

    manifest: Manifest
    table: BlindedTable
    keys: AccountKeys
    account: str

    def __post_init__(self) -> None:
        manifest, table, pool = self.manifest, self.table, self.keys.pool
        if (table.group.suite, table.geometry, table.seed) != (
            manifest.suite,
            manifest.geometry,
            manifest.seed,
        ):
            raise CallerError("the table is not the one that the manifest describes")
        if (pool.list_id, pool.sharing) != (manifest.list_id, manifest.sharing):
            raise CallerError("the account keys were derived for another list or other sharing parameters")
        encode_account(self.account)


@dataclass(frozen=True, slots=True)
class SealedVoucher:
    """A voucher's octets, and what the device may remember about them: the item's place in the batch, and the kind."""

    item: int
    kind: Kind
    voucher_id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """The vouchers of a batch of items.

    `tags[i]` are to be remembered with the vouchers of item i, in one transaction (7.6). `bad_candidates` counts the
    lookups that a sound table would not have given: for the device's owner only (7.4).
    """

    vouchers: tuple[SealedVoucher, ...]
    tags: tuple[tuple[bytes, ...], ...]
    bad_candidates: int


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The randomness of n vouchers with k slots each.

    `voucher_ids` (n, 16); `rkeys`, `fake_ad_keys` (n, 32); `betas`, `gammas` (n, k, scalar_size); `keks` (n, k, 32);
    `orders` (n, k): the place in which each slot is sent.
    """

    voucher_ids: Rows
    rkeys: Rows
    fake_ad_keys: Rows
    betas: Rows
    gammas: Rows
    keks: Rows
    orders: np.ndarray[tuple[int, ...], np.dtype[np.int64]]

    def __repr__(self) -> str:
        return f"<Drawn for {len(self.voucher_ids)} vouchers>"


@dataclass(frozen=True, slots=True)
class _Plan:
    """One voucher to be made: whose, of which kind, in which size class."""

    item: int
    kind: Kind
    size_class: int


def seal(
    device: Device,
    items: Sequence[Item],
    *,
    known: Callable[[bytes], bool] = lambda _tag: False,
    size_class: int | None = None,
    rng: Rng = secrets.token_bytes,
) -> SealedBatch:
    """Make the vouchers of a batch of items.

    `known(tag)` tells whether the device remembers a memory tag; copies within the batch are found here. `size_class`
    makes all vouchers alike; by default each takes the smallest that fits. Raises CallerError for an item with more probes than
    the manifest allows, or with associated data that does not fit; never for anything in the table.
    """
    plans, tags = _plan(device, items, known, size_class)
    drawn = draw(device.manifest.group, len(plans), slot_count(device.manifest), rng)
    vouchers, bad = _seal(device, items, plans, drawn)
    return SealedBatch(vouchers, tags, bad)


def draw(group: Group, vouchers: int, slots: int, rng: Rng) -> Drawn:
    """Draw the randomness of `vouchers` vouchers of `slots` slots."""
    scalars = group.random_scalars(2 * vouchers * slots, rng).reshape(2, vouchers, slots, group.scalar_size)
    return Drawn(
        _uniform(rng, vouchers, VOUCHER_ID_SIZE),
        _uniform(rng, vouchers, KEY_SIZE),
        _uniform(rng, vouchers, KEY_SIZE),
        scalars[0],
        scalars[1],
        _uniform(rng, vouchers, slots, KEY_SIZE),
        np.array([permutation(slots, rng) for _ in range(vouchers)], np.int64).reshape(vouchers, slots),
    )


def permutation(size: int, rng: Rng) -> list[int]:
    """A uniform permutation of 0 … size − 1 (Fisher and Yates; 16 octets a step, bias below 2^-119 for 512)."""
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = int.from_bytes(rng(16), "big") % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def _uniform(rng: Rng, *shape: int) -> Rows:
    return np.frombuffer(rng(int(np.prod(shape))), np.uint8).reshape(shape)


def _plan(
    device: Device, items: Sequence[Item], known: Callable[[bytes], bool], size_class: int | None
) -> tuple[list[_Plan], tuple[tuple[bytes, ...], ...]]:
    """Decide the kinds of the vouchers of every item (7.5), and the tags to remember (7.6)."""
    plans: list[_Plan] = []
    tags: list[tuple[bytes, ...]] = []
    fresh: set[bytes] = set()
    for index, item in enumerate(items):
        if len(item.probes) > device.manifest.probes.per_item:
            raise CallerError(f"the list allows {device.manifest.probes.per_item} probes, this item has more")
        chosen_class = smallest_class(len(item.associated)) if size_class is None else size_class
        pad(item.associated, chosen_class)  # raises if it does not fit, before anything is sealed
        mine = tuple(memory_tag(device.keys, probe.encode()) for probe in item.probes)
        repeated = any(tag in fresh or known(tag) for tag in mine)
        fresh.update(mine)
        tags.append(mine)
        plans += [_Plan(index, kind, chosen_class) for kind in _kinds(device, item, repeated)]
    return plans, tuple(tags)


def _kinds(device: Device, item: Item, repeated: bool) -> list[Kind]:
    if repeated:
        return [Kind.NULL]
    synthetic = device.manifest.synthetic
    if not is_chosen(device.keys, _subject(device, item, item.probes[0]), synthetic.per_million):
        return [Kind.REAL]
    return [Kind.SYNTHETIC] if synthetic.mode is SyntheticMode.REPLACE else [Kind.REAL, Kind.SYNTHETIC]


def _subject(device: Device, item: Item, probe: ItemHash) -> bytes:
    if device.manifest.sharing.count_by is CountBy.HASH:
        return probe.encode()
    return identifier_subject(item.identifier)


def _seal(
    device: Device, items: Sequence[Item], plans: Sequence[_Plan], drawn: Drawn
) -> tuple[tuple[SealedVoucher, ...], int]:
    """The private twin of `seal`: nothing is drawn. Returns the vouchers, and the number of bad candidates."""
    group, manifest = device.manifest.group, device.manifest
    count, width = len(plans), slot_count(manifest)
    gammas = drawn.gammas.reshape(count * width, group.scalar_size)
    q = group.multiply_base(gammas)
    keyed = np.array(drawn.keks).reshape(count * width, KEY_SIZE)
    contents = [bytes(KEY_SIZE + share_size(manifest.sharing.rows))] * (count * width)
    bad = _real_slots(device, items, plans, drawn, q, keyed, contents)
    _synthetic_slots(device, items, plans, drawn, q, keyed, contents)
    if not q.any(axis=1).all():
        raise CallerError("the randomness makes a slot the identity: draw again")
    vouchers = tuple(
        _assemble(device, items[plan.item], plan, drawn, place, q, keyed, contents)
        for place, plan in enumerate(plans)
    )
    return vouchers, bad


def _real_slots(
    device: Device,
    items: Sequence[Item],
    plans: Sequence[_Plan],
    drawn: Drawn,
    q: Rows,
    keyed: Rows,
    contents: list[bytes],
) -> int:
    """Fill in the slots of real vouchers (7.3), leaving those of bad candidates random (7.4); count the latter."""
    group, width = device.manifest.group, slot_count(device.manifest)
    per_probe = device.manifest.geometry.candidates
    owners = [
        (place, number, probe)
        for place, plan in enumerate(plans)
        if plan.kind is Kind.REAL
        for number, probe in enumerate(items[plan.item].probes)
    ]
    if not owners:
        return 0
    encoded = [probe.encode() for _, _, probe in owners]
    found = device.table.lookup(encoded)
    made = shares(
        device.keys, [_subject(device, items[plans[place].item], probe) for place, _, probe in owners]
    )
    rows = np.array([place * width + number * per_probe for place, number, _ in owners])
    slots = (rows[:, None] + np.arange(per_probe)).ravel()  # the slot of every candidate
    good = found.good.ravel()
    slots, owner = slots[good], np.repeat(np.arange(len(owners)), per_probe)[good]
    hashed = hash_items(group, encoded)[owner]
    betas = drawn.betas.reshape(-1, group.scalar_size)[slots]
    gammas = drawn.gammas.reshape(-1, group.scalar_size)[slots]
    q[slots] = group.add(group.multiply(betas, hashed), q[slots])
    points = found.elements.reshape(-1, group.element_size)[good]
    s = group.add(group.multiply(betas, points), group.multiply(gammas, _key(device)))
    _set_keks(device, s, q, slots, keyed)
    for slot, whose in zip(slots.tolist(), owner.tolist(), strict=True):
        contents[slot] = drawn.rkeys[slot // width].tobytes() + made[whose]
    return int(np.count_nonzero(~good))


def _synthetic_slots(
    device: Device,
    items: Sequence[Item],
    plans: Sequence[_Plan],
    drawn: Drawn,
    q: Rows,
    keyed: Rows,
    contents: list[bytes],
) -> None:
    """Make the first slot of every synthetic voucher one that opens: S = γ·L for Q = γ·G (7.5)."""
    group, width = device.manifest.group, slot_count(device.manifest)
    places = [place for place, plan in enumerate(plans) if plan.kind is Kind.SYNTHETIC]
    if not places:
        return
    slots = np.array(places) * width
    s = group.multiply(drawn.gammas.reshape(-1, group.scalar_size)[slots], _key(device))
    _set_keks(device, s, q, slots, keyed)
    for place in places:
        item = items[plans[place].item]
        share = synthetic_share(device.keys, _subject(device, item, item.probes[0]))
        contents[place * width] = drawn.rkeys[place].tobytes() + share


def _key(device: Device) -> Rows:
    return np.frombuffer(device.manifest.key, np.uint8).reshape(1, -1)


def _set_keks(
    device: Device, s: Rows, q: Rows, slots: np.ndarray[tuple[int, ...], np.dtype[np.int64]], keyed: Rows
) -> None:
    if not s.any(axis=1).all():
        raise CallerError("the randomness makes a slot the identity: draw again")
    for row, slot in zip(s, slots.tolist(), strict=True):
        keyed[slot] = np.frombuffer(slot_key(device.manifest, row.tobytes(), q[slot].tobytes()), np.uint8)


def slot_key(manifest: Manifest, s: bytes, q: bytes) -> bytes:
    """kek: 32 octets from the encoded S and Q (7.3)."""
    return kdf(Label.SLOT_KEY, s + q, manifest.digest, b"", KEY_SIZE)


def item_key(ad_key: bytes, voucher_id: bytes) -> bytes:
    """The key of one voucher's associated data (7.2)."""
    return kdf(Label.AD_ITEM, ad_key, b"", voucher_id, KEY_SIZE)


def _assemble(
    device: Device,
    item: Item,
    plan: _Plan,
    drawn: Drawn,
    place: int,
    q: Rows,
    keyed: Rows,
    contents: Sequence[bytes],
) -> SealedVoucher:
    """Encrypt one voucher's payload and slots, and put the slots in their random order."""
    manifest, width = device.manifest, slot_count(device.manifest)
    voucher_id = drawn.voucher_ids[place].tobytes()
    header = Header(manifest.manifest_id, voucher_id, device.keys.pool.generation, width, plan.size_class)
    bound = context(manifest, header, device.account)
    if plan.kind is Kind.SYNTHETIC:
        inner_key, padded = drawn.fake_ad_keys[place].tobytes(), bytes(padded_size(plan.size_class))
    else:
        inner_key = item_key(device.keys.ad_key.reveal(), voucher_id)
        padded = pad(item.associated, plan.size_class)
    adct = aead(inner_key, padded, Label.AD.value + voucher_id)
    rct = aead(drawn.rkeys[place].tobytes(), adct, payload_data(bound))
    slots: list[Slot | None] = [None] * width
    for number, sent_as in enumerate(drawn.orders[place].tolist()):
        row = place * width + number
        ct = aead(keyed[row].tobytes(), contents[row], slot_data(bound))
        slots[sent_as] = Slot(q[row].tobytes(), ct)
    voucher = Voucher(header, tuple(slot for slot in slots if slot), rct)
    return SealedVoucher(plan.item, plan.kind, voucher_id, voucher.encode())
