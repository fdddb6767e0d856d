"""Sealing: from a device's items to vouchers (specification, sections 7.2 to 7.6).

`seal` draws the randomness and `_seal`, its private twin, takes it; nothing here keeps state, and nothing fails or
changes shape because of what a table holds.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tpsi.account import shares, synthetic_share
from tpsi.device import Device, Item
from tpsi.errors import CallerError
from tpsi.groups import Group, Rng, Rows
from tpsi.labels import Label
from tpsi.planning import Kind, Plan, plan_vouchers
from tpsi.randomness import Drawn, Indices, draw, permutation
from tpsi.symmetric import KEY_SIZE
from tpsi.symmetric import seal as aead
from tpsi.table import hash_items
from tpsi.voucher import (
    Header,
    Slot,
    Voucher,
    context,
    item_key,
    pad,
    padded_size,
    payload_data,
    share_size,
    slot_count,
    slot_data,
    slot_key,
)


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
    plans, tags = plan_vouchers(device, items, known, size_class)
    drawn = draw(device.manifest.group, len(plans), slot_count(device.manifest), rng)
    vouchers, bad = _seal(device, items, plans, drawn)
    order = permutation(len(vouchers), rng)
    return SealedBatch(tuple(vouchers[place] for place in order), tags, bad)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Work:
    """A batch in the making: n vouchers of k slots, slot j of voucher i at row i·k + j; all start as random slots."""

    device: Device
    items: Sequence[Item]
    plans: Sequence[Plan]
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
    device: Device, items: Sequence[Item], plans: Sequence[Plan], drawn: Drawn
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
        (place * work.width + number * per_probe, probe.encode(), device.subject(work.items[plan.item], probe))
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
        work.fill(row, synthetic_share(device.keys, device.subject(item, item.probes[0])))


def _public_key(device: Device) -> Rows:
    return np.frombuffer(device.manifest.key, np.uint8).reshape(1, -1)


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
    return aead(key, padded, Label.AD + voucher_id)
