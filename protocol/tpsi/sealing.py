"""Sealing: from a device's items to vouchers (specification, sections 7.2 to 7.6).

`seal` draws the randomness and `_seal`, its private twin, takes it; nothing here keeps state, and nothing fails or
changes shape because of what a table holds.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tpsi.account import AccountKeys, identifier_subject, is_chosen, memory_tags, shares, synthetic_share
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

#: Places in an array.
Indices: TypeAlias = NDArray[np.int64]


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
    associated: bytes = field(default=b"", repr=False)

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
    """The vouchers of a batch of items, in random order.

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
    orders: Indices

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
    makes all vouchers alike; by default each takes the smallest that fits. Raises CallerError for an item with more
    probes than the manifest allows, of a type that the list has not, or with associated data that does not fit; never
    for anything in the table.
    """
    plans, tags = _plan(device, items, known, size_class)
    drawn = draw(device.manifest.group, len(plans), slot_count(device.manifest), rng)
    vouchers, bad = _seal(device, items, plans, drawn)
    order = permutation(len(vouchers), rng)
    return SealedBatch(tuple(vouchers[place] for place in order), tags, bad)


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
    types = set(device.manifest.types)
    plans: list[_Plan] = []
    tags: list[tuple[bytes, ...]] = []
    fresh: set[bytes] = set()
    for index, item in enumerate(items):
        if len(item.probes) > device.manifest.probes.per_item:
            raise CallerError(f"the list allows {device.manifest.probes.per_item} probes, this item has more")
        if not types.issuperset(probe.type for probe in item.probes):
            raise CallerError(f"the list has the hash types {', '.join(sorted(types))}; an item has a probe of another")
        chosen_class = smallest_class(len(item.associated)) if size_class is None else size_class
        pad(item.associated, chosen_class)  # raises if it does not fit, before anything is sealed
        mine = memory_tags(device.keys, item.identifier, item.probes)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Work:
    """A batch in the making: n vouchers of k slots, slot j of voucher i at row i·k + j; all start as random slots."""

    device: Device
    items: Sequence[Item]
    plans: Sequence[_Plan]
    drawn: Drawn
    q: Rows  # (n·k, element_size)
    keks: Rows  # (n·k, 32)
    contents: list[bytes]  # what each slot encrypts

    @property
    def width(self) -> int:
        """k."""
        return slot_count(self.device.manifest)

    @property
    def group(self) -> Group:
        return self.device.manifest.group

    def betas(self, rows: Indices) -> Rows:
        return self.drawn.betas.reshape(-1, self.group.scalar_size)[rows]

    def gammas(self, rows: Indices) -> Rows:
        return self.drawn.gammas.reshape(-1, self.group.scalar_size)[rows]

    def key(self, rows: Indices, s: Rows) -> None:
        """Give slots the keys that follow from their S and Q (7.3)."""
        if not s.any(axis=1).all():
            raise CallerError("the randomness makes S the identity: draw again")
        manifest = self.device.manifest
        for row, point in zip(rows.tolist(), s, strict=True):
            self.keks[row] = np.frombuffer(slot_key(manifest, point.tobytes(), self.q[row].tobytes()), np.uint8)

    def fill(self, row: int, share: bytes) -> None:
        """Let a slot encrypt its voucher's rkey and a share."""
        self.contents[row] = self.drawn.rkeys[row // self.width].tobytes() + share


def _seal(
    device: Device, items: Sequence[Item], plans: Sequence[_Plan], drawn: Drawn
) -> tuple[tuple[SealedVoucher, ...], int]:
    """The private twin of `seal`: nothing is drawn. Returns the vouchers, and the number of bad candidates."""
    group, count = device.manifest.group, len(plans) * slot_count(device.manifest)
    zeros = bytes(KEY_SIZE + share_size(device.manifest.sharing.rows))
    q = group.multiply_base(drawn.gammas.reshape(count, group.scalar_size))
    work = _Work(device, items, plans, drawn, q, drawn.keks.reshape(count, KEY_SIZE).copy(), [zeros] * count)
    bad = _real_slots(work)
    _synthetic_slots(work)
    if not work.q.any(axis=1).all():
        raise CallerError("the randomness makes Q the identity: draw again")
    return tuple(_assemble(work, place) for place in range(len(plans))), bad


def _real_slots(work: _Work) -> int:
    """Fill in the slots of real vouchers (7.3), leaving those of bad candidates random (7.4); count the latter."""
    group, device = work.group, work.device
    per_probe = device.manifest.geometry.candidates
    probes = [
        (place * work.width + number * per_probe, probe.encode(), _subject(device, work.items[plan.item], probe))
        for place, plan in enumerate(work.plans)
        if plan.kind is Kind.REAL
        for number, probe in enumerate(work.items[plan.item].probes)
    ]
    if not probes:
        return 0
    first, encoded, subjects = zip(*probes, strict=True)
    found = device.table.lookup(encoded)
    made = shares(device.keys, subjects)
    good = found.good.ravel()
    rows = (np.array(first)[:, None] + np.arange(per_probe)).ravel()[good]  # the slot of every good candidate
    owner = np.repeat(np.arange(len(probes)), per_probe)[good]
    betas, points = work.betas(rows), found.elements.reshape(-1, group.element_size)[good]
    work.q[rows] = group.add(group.multiply(betas, hash_items(group, encoded)[owner]), work.q[rows])
    work.key(rows, group.add(group.multiply(betas, points), group.multiply(work.gammas(rows), _public_key(device))))
    for row, whose in zip(rows.tolist(), owner.tolist(), strict=True):
        work.fill(row, made[whose])
    return int(np.count_nonzero(~good))


def _synthetic_slots(work: _Work) -> None:
    """Make the first slot of every synthetic voucher one that opens: S = γ·L for Q = γ·G (7.5)."""
    device = work.device
    places = [place for place, plan in enumerate(work.plans) if plan.kind is Kind.SYNTHETIC]
    if not places:
        return
    rows = np.array(places) * work.width
    work.key(rows, work.group.multiply(work.gammas(rows), _public_key(device)))
    for place, row in zip(places, rows.tolist(), strict=True):
        item = work.items[work.plans[place].item]
        work.fill(row, synthetic_share(device.keys, _subject(device, item, item.probes[0])))


def _public_key(device: Device) -> Rows:
    return np.frombuffer(device.manifest.key, np.uint8).reshape(1, -1)


def slot_key(manifest: Manifest, s: bytes, q: bytes) -> bytes:
    """kek: 32 octets from the encoded S and Q (7.3)."""
    return kdf(Label.SLOT_KEY, s + q, manifest.digest, b"", KEY_SIZE)


def item_key(ad_key: bytes, voucher_id: bytes) -> bytes:
    """The key of one voucher's associated data (7.2)."""
    return kdf(Label.AD_ITEM, ad_key, b"", voucher_id, KEY_SIZE)


def _assemble(work: _Work, place: int) -> SealedVoucher:
    """Encrypt one voucher's payload and slots, and put the slots in their random order."""
    device, plan, drawn = work.device, work.plans[place], work.drawn
    voucher_id = drawn.voucher_ids[place].tobytes()
    header = Header(device.manifest.manifest_id, voucher_id, device.keys.pool.generation, work.width, plan.size_class)
    bound = context(device.manifest, header, device.account)
    rct = aead(drawn.rkeys[place].tobytes(), _inner(work, place, voucher_id), payload_data(bound))
    slots: dict[int, Slot] = {}
    for number, sent_as in enumerate(drawn.orders[place].tolist()):
        row = place * work.width + number
        ct = aead(work.keks[row].tobytes(), work.contents[row], slot_data(bound))
        slots[sent_as] = Slot(work.q[row].tobytes(), ct)
    voucher = Voucher(header, tuple(slots[number] for number in range(work.width)), rct)
    return SealedVoucher(plan.item, plan.kind, voucher_id, voucher.encode())


def _inner(work: _Work, place: int, voucher_id: bytes) -> bytes:
    """adct: the item's associated data, or, in a synthetic voucher, zeros under a key that nobody keeps (7.2, 7.5)."""
    plan = work.plans[place]
    if plan.kind is Kind.SYNTHETIC:
        key, padded = work.drawn.fake_ad_keys[place].tobytes(), bytes(padded_size(plan.size_class))
    else:
        key = item_key(work.device.keys.ad_key.reveal(), voucher_id)
        padded = pad(work.items[plan.item].associated, plan.size_class)
    return aead(key, padded, Label.AD.value + voucher_id)
