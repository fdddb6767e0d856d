"""Sealing: from a device's items to vouchers (specification, sections 7.2 to 7.6).

`seal` draws the randomness and `_seal`, its private twin, takes it; nothing here keeps state, and nothing fails or
changes shape because of what a table holds.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tpsi.account import shares, synthetic_share
from tpsi.bulk import seal_many
from tpsi.device import Device, Item
from tpsi.errors import CallerError
from tpsi.groups import Group, Probed, Rng, Rows
from tpsi.groups.rows import split_rows
from tpsi.labels import Label
from tpsi.planning import Kind, Plan, plan_vouchers
from tpsi.randomness import Drawn, Indices, draw, permutation
from tpsi.symmetric import KEY_SIZE
from tpsi.table import item_tag
from tpsi.voucher import (
    Header,
    contexts,
    item_keys,
    pad,
    padded_size,
    payload_data,
    share_size,
    slot_count,
    slot_data,
    slot_keys,
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
    width: int  # k
    rkeys: Sequence[bytes]  # n
    q: Rows  # (n·k, element_size)
    keks: Rows  # (n·k, 32)
    contents: list[bytes]  # what each slot encrypts

    @property
    def group(self) -> Group:
        return self.device.manifest.group

    def betas(self, rows: Indices) -> Rows:
        return self.drawn.betas.reshape(-1, self.group.scalar_size)[rows]

    def gammas(self, rows: Indices) -> Rows:
        return self.drawn.gammas.reshape(-1, self.group.scalar_size)[rows]

    def fill(self, rows: Indices, s: Rows, shares: Iterable[bytes]) -> None:
        """Give slots the keys that follow from their S and Q (7.3); each encrypts its voucher's rkey and a share."""
        if not s.any(axis=1).all():
            raise CallerError("the randomness makes S the identity: draw again")
        self.keks[rows] = slot_keys(self.device.manifest, s, self.q[rows])
        for row, share in zip(rows.tolist(), shares, strict=True):
            self.contents[row] = self.rkeys[row // self.width] + share


def _seal(
    device: Device, items: Sequence[Item], plans: Sequence[Plan], drawn: Drawn
) -> tuple[tuple[SealedVoucher, ...], int]:
    """The private twin of `seal`: nothing is drawn. Returns the vouchers, and the number of bad candidates."""
    group, width = device.manifest.group, slot_count(device.manifest)
    count = len(plans) * width
    zeros = bytes(KEY_SIZE + share_size(device.manifest.sharing.rows))
    q, keks = np.zeros((count, group.element_size), np.uint8), drawn.keks.reshape(count, KEY_SIZE)
    work = _Work(device, items, plans, drawn, width, split_rows(drawn.rkeys), q, keks.copy(), [zeros] * count)
    bad = _real_slots(work)
    _other_slots(work)
    _synthetic_slots(work)
    if not work.q.any(axis=1).all():
        raise CallerError("the randomness makes Q the identity: draw again")
    return tuple(_assemble(work)), bad


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
    rows = np.array(first)[:, None] + np.arange(per_probe)  # (n, candidates): the slot of each
    probed = Probed(encoded, item_tag(group), device.table.read(encoded))
    pairs = group.seal(probed, work.betas(rows), work.gammas(rows), _public_key(device))
    work.q[rows] = pairs.q
    made = shares(device.keys, subjects)
    work.fill(rows[pairs.good], pairs.s[pairs.good], [made[whose] for whose in np.nonzero(pairs.good)[0].tolist()])
    return int(np.count_nonzero(~pairs.good))


def _other_slots(work: _Work) -> None:
    """Q = γ·G for the slots that belong to no candidate (7.4, 7.5)."""
    rows = np.flatnonzero(~work.q.any(axis=1))
    work.q[rows] = work.group.multiply_base(work.gammas(rows))


def _synthetic_slots(work: _Work) -> None:
    """Make the first slot of every synthetic voucher one that opens: S = γ·L for Q = γ·G (7.5)."""
    device = work.device
    places = [place for place, plan in enumerate(work.plans) if plan.kind is Kind.SYNTHETIC]
    if not places:
        return
    rows = np.array(places) * work.width
    items = [work.items[work.plans[place].item] for place in places]
    made = [synthetic_share(device.keys, device.subject(item, item.probes[0])) for item in items]
    work.fill(rows, work.group.multiply(work.gammas(rows), _public_key(device)), made)


def _public_key(device: Device) -> Rows:
    return np.frombuffer(device.manifest.key, np.uint8).reshape(1, -1)


def _assemble(work: _Work) -> Iterator[SealedVoucher]:
    """Encrypt payloads and slots, and put the slots of each voucher in their random order."""
    manifest, width = work.device.manifest, work.width
    ids = split_rows(work.drawn.voucher_ids)
    generation = work.device.keys.pool.generation
    headers = [
        Header(manifest.manifest_id, voucher_id, generation, width, plan.size_class).encode()
        for voucher_id, plan in zip(ids, work.plans, strict=True)
    ]
    bound = contexts(manifest, headers, [work.device.account] * len(headers))
    rcts = seal_many(work.drawn.rkeys, _inner(work, ids), [payload_data(one) for one in bound])
    cts = seal_many(work.keks, work.contents, [data for one in bound for data in [slot_data(one)] * width])
    slots = [q + ct for q, ct in zip(split_rows(work.q), cts, strict=True)]
    # orders tell where each slot is sent; the inverse, which slot is sent in each place
    sent = (np.argsort(work.drawn.orders, axis=1) + np.arange(len(ids))[:, None] * width).tolist()
    for place, plan in enumerate(work.plans):
        data = b"".join([headers[place], *[slots[row] for row in sent[place]], rcts[place]])
        yield SealedVoucher(plan.item, plan.kind, ids[place], data)


def _inner(work: _Work, ids: Sequence[bytes]) -> list[bytes]:
    """adct: the item's associated data, or, in a synthetic voucher, zeros under a key that nobody keeps (7.2, 7.5)."""
    keys = item_keys(work.device.keys.ad_key.reveal(), ids)
    padded: list[bytes] = []
    for place, plan in enumerate(work.plans):
        if plan.kind is Kind.SYNTHETIC:
            keys[place] = work.drawn.fake_ad_keys[place]
            padded.append(bytes(padded_size(plan.size_class)))
        else:
            padded.append(pad(work.items[plan.item].associated, plan.size_class))
    return seal_many(keys, padded, [Label.AD + voucher_id for voucher_id in ids])
