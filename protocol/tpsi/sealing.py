"""Sealing: from a device's items to vouchers (specification, sections 7.2 to 7.6).

`seal` draws the randomness and `_seal`, its private twin, takes it; nothing here keeps state, and nothing fails or
changes shape because of what a table holds.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from tpsi.account import identifier_subject, share_rows, synthetic_share
from tpsi.bulk import seal_many
from tpsi.device import Device, Item
from tpsi.errors import CallerError
from tpsi.groups import Group, Probed, Rng, Rows
from tpsi.groups.rows import beside, join_rows, split_rows
from tpsi.labels import Label
from tpsi.packing import pack_headers
from tpsi.planning import Kind, Plan, plan_vouchers
from tpsi.randomness import Drawn, Indices, draw
from tpsi.symmetric import KEY_SIZE
from tpsi.table import item_tag
from tpsi.voucher import context_rows, item_keys, pad, padded_size, share_size, slot_count, slot_keys


class SealedVoucher(NamedTuple):
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
    # Ids are uniform: so is the order that follows from them (7.5).
    return SealedBatch(tuple(sorted(vouchers, key=attrgetter("voucher_id"))), tags, bad)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Work:
    """A batch in the making: n vouchers of k slots, slot j of voucher i at row i·k + j; all start as random slots."""

    device: Device
    items: Sequence[Item]
    plans: Sequence[Plan]
    drawn: Drawn
    width: int  # k
    q: Rows  # (n·k, element_size)
    keks: Rows  # (n·k, 32)
    contents: Rows  # (n·k, 32 + share size): what each slot encrypts

    @property
    def group(self) -> Group:
        return self.device.manifest.group

    def of_kind(self, kind: Kind) -> list[tuple[int, Item]]:
        """The places of the vouchers of a kind, each with its item."""
        return [(place, self.items[plan.item]) for place, plan in enumerate(self.plans) if plan.kind is kind]

    def betas(self, rows: Indices) -> Rows:
        return self.drawn.betas.reshape(-1, self.group.scalar_size)[rows]

    def gammas(self, rows: Indices) -> Rows:
        return self.drawn.gammas.reshape(-1, self.group.scalar_size)[rows]

    def fill(self, rows: Indices, s: Rows, shares: Rows) -> None:
        """Give slots the keys that follow from their S and Q (7.3); each encrypts its voucher's rkey and a share."""
        if not s.any(axis=1).all():
            raise CallerError("the randomness makes S the identity: draw again")
        self.keks[rows] = slot_keys(self.device.manifest, s, self.q[rows])
        self.contents[rows] = np.hstack([self.drawn.rkeys[rows // self.width], shares])


def _seal(
    device: Device, items: Sequence[Item], plans: Sequence[Plan], drawn: Drawn
) -> tuple[list[SealedVoucher], int]:
    """The private twin of `seal`: nothing is drawn. Returns the vouchers, and the number of bad candidates."""
    group, width = device.manifest.group, slot_count(device.manifest)
    count = len(plans) * width
    q, keks = np.zeros((count, group.element_size), np.uint8), drawn.keks.reshape(count, KEY_SIZE).copy()
    contents = np.zeros((count, KEY_SIZE + share_size(device.manifest.sharing.rows)), np.uint8)
    work = _Work(device, items, plans, drawn, width, q, keks, contents)
    bad = _real_slots(work)
    _other_slots(work)
    _synthetic_slots(work)
    if not work.q.any(axis=1).all():
        raise CallerError("the randomness makes Q the identity: draw again")
    sealed = zip(plans, split_rows(drawn.voucher_ids), _assemble(work), strict=True)
    return [SealedVoucher(plan.item, plan.kind, voucher_id, data) for plan, voucher_id, data in sealed], bad


def _real_slots(work: _Work) -> int:
    """Fill in the slots of real vouchers (7.3), leaving those of bad candidates random (7.4); count the latter."""
    real = work.of_kind(Kind.REAL)
    if not real:
        return 0
    group, device, per_probe = work.group, work.device, work.device.manifest.geometry.candidates
    encoded = [probe.encode() for _, item in real for probe in item.probes]
    first = [place * work.width + n * per_probe for place, item in real for n in range(len(item.probes))]
    rows = np.array(first)[:, None] + np.arange(per_probe)  # (n, candidates): the slot of each
    probed = Probed(encoded, item_tag(group), device.table.read(encoded))
    pairs = group.seal(probed, work.betas(rows), work.gammas(rows), _public_key(device))
    work.q[rows] = pairs.q
    shares = share_rows(device.keys, _subjects(work, real, encoded))
    work.fill(rows[pairs.good], pairs.s[pairs.good], shares[np.nonzero(pairs.good)[0]])
    return int(np.count_nonzero(~pairs.good))


def _subjects(work: _Work, real: Sequence[tuple[int, Item]], encoded: list[bytes]) -> list[bytes]:
    """What the share of each probe is a function of (6.3)."""
    if work.device.counts_hashes:
        return encoded
    return [identifier_subject(item.identifier) for _, item in real for _ in item.probes]


def _other_slots(work: _Work) -> None:
    """Q = γ·G for the slots that belong to no candidate (7.4, 7.5)."""
    rows = np.flatnonzero(~work.q.any(axis=1))
    work.q[rows] = work.group.multiply_base(work.gammas(rows))


def _synthetic_slots(work: _Work) -> None:
    """Make the first slot of every synthetic voucher one that opens: S = γ·L for Q = γ·G (7.5)."""
    device, synthetic = work.device, work.of_kind(Kind.SYNTHETIC)
    if not synthetic:
        return
    rows = np.array([place for place, _ in synthetic]) * work.width
    subjects = device.decision_subjects([item for _, item in synthetic])
    made = [synthetic_share(device.keys, subject) for subject in subjects]
    s = work.group.multiply(work.gammas(rows), _public_key(device))
    work.fill(rows, s, join_rows(made, share_size(device.manifest.sharing.rows)))


def _public_key(device: Device) -> Rows:
    return np.frombuffer(device.manifest.key, np.uint8).reshape(1, -1)


def _assemble(work: _Work) -> list[bytes]:
    """Encrypt payloads and slots, and put the slots of each voucher in their random order."""
    manifest, drawn, pool = work.device.manifest, work.drawn, work.device.keys.pool
    classes = np.array([plan.size_class for plan in work.plans], np.uint8)
    headers = pack_headers(manifest, pool.generation, drawn.voucher_ids, classes)
    bound = context_rows(manifest, headers, work.device.account)
    slots = np.hstack([work.q, seal_many(work.keks, work.contents, beside(Label.SLOT, bound))])
    # orders tell where each slot is sent; the inverse, which slot is sent in each place
    sent = np.argsort(drawn.orders, axis=1) + np.arange(len(headers))[:, None] * work.width
    heads = np.hstack([headers, slots[sent].reshape(len(headers), -1)])
    keys = _inner_keys(work)
    vouchers = [b""] * len(headers)
    for size_class in set(classes.tolist()):
        rows = np.flatnonzero(classes == size_class)
        adcts = seal_many(keys[rows], _padded(work, rows), beside(Label.AD, drawn.voucher_ids[rows]))
        rcts = seal_many(drawn.rkeys[rows], adcts, beside(Label.PAYLOAD, bound[rows]))
        for row, voucher in zip(rows.tolist(), split_rows(np.hstack([heads[rows], rcts])), strict=True):
            vouchers[row] = voucher
    return vouchers


def _inner_keys(work: _Work) -> Rows:
    """(n, 32): the keys of the adcts; those of synthetic vouchers nobody keeps (7.2, 7.5)."""
    keys = item_keys(work.device.keys.ad_key.reveal(), work.drawn.voucher_ids)
    synthetic = [place for place, _ in work.of_kind(Kind.SYNTHETIC)]
    keys[synthetic] = work.drawn.fake_ad_keys[synthetic]
    return keys


def _padded(work: _Work, rows: Indices) -> Rows:
    """(m, …): the associated data of vouchers of one size class, padded; of synthetic ones, zeros."""
    plans = [work.plans[row] for row in rows.tolist()]
    size = padded_size(plans[0].size_class)
    if not size:
        return np.zeros((len(plans), 0), np.uint8)
    padded = [
        bytes(size) if plan.kind is Kind.SYNTHETIC else pad(work.items[plan.item].associated, plan.size_class)
        for plan in plans
    ]
    return join_rows(padded, size)
