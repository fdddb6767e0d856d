"""The devices' side of a transcript: accounts, what they seal, what the server opens, what pools reveal."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tests.support.drbg import Drbg
from tests.vectors.making.stage import Epoch, Record, Stage, hash_record
from tpsi import (
    AccountKeys,
    CountBy,
    Device,
    Item,
    ItemHash,
    Kind,
    Manifest,
    Opened,
    Pool,
    Secret,
    Submission,
    Verdict,
    Voucher,
    derive,
    examine,
    match,
    slot_count,
)
from tpsi.account import identifier_subject, is_chosen, probe_tags, shares, synthetic_share
from tpsi.detection import Outcome
from tpsi.field import encode
from tpsi.groups import Rows
from tpsi.labels import Label
from tpsi.planning import Plan, memory_tags, plan_vouchers
from tpsi.randomness import Drawn, draw
from tpsi.sealing import _seal
from tpsi.symmetric import kdf, open_sealed
from tpsi.voucher import context, item_key, payload_data, slot_data, slot_key

#: One encoded scalar.
Row: TypeAlias = NDArray[np.uint8]

RESULTS = {
    Outcome.BELOW_THRESHOLD: "below",
    Outcome.UNDECIDED: "undecided",
    Outcome.REVEALED: "revealed",
}


def must_open(key: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """What the library sealed."""
    plaintext = open_sealed(key, ciphertext, associated)
    if plaintext is None:
        raise LookupError("the library sealed something else")
    return plaintext


@dataclass
class PoolState:
    """A pool of an account, and what the server has opened of it."""

    keys: AccountKeys
    opened: list[Opened] = field(default_factory=list)


class Account:
    """An account whose devices seal batches; its `record` grows with them."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.secret = stage.rng(32)
        self.pools: list[PoolState] = []
        self.remembered: set[bytes] = set()
        self.batches: list[Record] = []

    def pool(self, epoch: Epoch, generation: int) -> PoolState:
        """The pool for an epoch's sharing parameters, made when it is first asked for."""
        wanted = Pool(self.stage.list_id, generation, epoch.manifest.sharing)
        for state in self.pools:
            if state.keys.pool == wanted:
                return state
        self.pools.append(PoolState(derive(Secret(self.secret), wanted)))
        return self.pools[-1]

    def device(self, epoch: Epoch, generation: int) -> Device:
        """A device of this account."""
        return Device(epoch.manifest, epoch.table, self.pool(epoch, generation).keys, self.name)

    def chosen(self, epoch: Epoch, generation: int, item: Item) -> bool:
        """Whether an item is chosen for a synthetic voucher."""
        keys = self.pool(epoch, generation).keys
        return is_chosen(keys, subject(keys, item, item.probes[0]), epoch.manifest.synthetic.per_million)

    def seal(self, epoch: Epoch, items: Sequence[Item], generation: int, size_class: int | None = None) -> None:
        """Seal a batch, match it at the server, and record both."""
        device, state = self.device(epoch, generation), self.pool(epoch, generation)
        plans, tags = plan_vouchers(device, items, self.remembered.__contains__, size_class)
        drawn = draw(self.stage.group, len(plans), slot_count(epoch.manifest), self.stage.rng)
        sealed, _ = _seal(device, items, plans, drawn)
        known: list[bool] = []
        for mine in tags:
            known.append(not self.remembered.isdisjoint(mine))
            self.remembered |= set(mine)
        sizes = {plan.item: plan.size_class for plan in plans}
        vouchers: list[list[Record]] = [[] for _ in items]
        for place, (plan, voucher) in enumerate(zip(plans, sealed, strict=True)):
            writer = Writer(epoch, device, items[plan.item], plan, drawn, place)
            record, opened = writer.record(Voucher.decode(voucher.data, epoch.manifest))
            vouchers[plan.item].append(record)
            state.opened += [opened] if opened else []
        made = [
            item_record(device, item) | {"size_class": sizes[i], "known": known[i], "vouchers": vouchers[i]}
            for i, item in enumerate(items)
        ]
        self.batches.append(
            {
                "epoch": self.stage.epochs.index(epoch),
                "pool": self.pools.index(state),
                "k_memory": state.keys.memory_key.reveal().hex(),
                "items": made,
            }
        )

    def record(self) -> Record:
        """The account with its pools' results."""
        return {
            "identifier": self.name,
            "secret": self.secret.hex(),
            "pools": [self.pool_record(state) for state in self.pools],
            "batches": self.batches,
        }

    def pool_record(self, state: PoolState) -> Record:
        """A pool's parameters and keys, and what comes out of it."""
        pool = state.keys.pool
        derived = kdf(Label.ACCOUNT, self.secret, pool.list_id, pool.info, 96)
        return {
            "generation": pool.generation,
            "threshold": pool.sharing.threshold,
            "rows": pool.sharing.rows,
            "count_by": pool.sharing.count_by.value,
            "k_poly": derived[:32].hex(),
            "k_x": state.keys.coordinate_key.reveal().hex(),
            "k_fake": state.keys.synthetic_key.reveal().hex(),
            "polynomials": [encode(row).hex() for row in state.keys.coefficients],
            "detection": detection_record(state.keys, state.opened, self.stage.rng),
        }


def subject(keys: AccountKeys, item: Item, probe: ItemHash) -> bytes:
    """The subject of a probe's slots."""
    if keys.pool.sharing.count_by is CountBy.HASH:
        return probe.encode()
    return identifier_subject(item.identifier)


def item_record(device: Device, item: Item) -> Record:
    """An item with its probes and decisions."""
    keys = device.keys
    first = subject(keys, item, item.probes[0])
    by_item = keys.pool.sharing.count_by is CountBy.ITEM
    decision = bisect_left(range(10**6 + 1), True, key=lambda n: is_chosen(keys, first, n)) - 1
    return {
        "identifier": item.identifier.hex() if by_item else None,
        "probes": [probe_record(device, item, probe) for probe in item.probes],
        "ad": item.associated.hex(),
        "decision": decision,
        "chosen": is_chosen(keys, first, device.manifest.synthetic.per_million),
        "synthetic_share": synthetic_share(keys, first).hex(),
        "tag": memory_tags(keys, [item])[0][-1].hex() if by_item else None,
    }


def probe_record(device: Device, item: Item, probe: ItemHash) -> Record:
    """A probe with its lookup, tag and share."""
    y, table, keys = probe.encode(), device.table, device.keys
    found = table.lookup([y])
    share = shares(keys, [subject(keys, item, probe)])[0]
    candidates = zip(found.elements[0], found.good[0].tolist(), strict=True)
    return {
        "item": hash_record(probe),
        "positions": table.geometry.positions([y], table.seed)[0].tolist(),
        "candidates": [element.tobytes().hex() if good else None for element, good in candidates],
        "tag": probe_tags(keys, [y])[0].hex(),
        "coordinate": share[:8].hex(),
        "share": share.hex(),
    }


@dataclass(frozen=True)
class Writer:
    """Writes down one voucher: all that went into it, and what the server makes of it."""

    epoch: Epoch
    device: Device
    item: Item
    plan: Plan
    drawn: Drawn
    place: int

    @property
    def rkey(self) -> bytes:
        """The outer key."""
        return bytes(self.drawn.rkeys[self.place].tobytes())

    def record(self, voucher: Voucher) -> tuple[Record, Opened | None]:
        """The voucher's record, and what it opens to."""
        bound = context(self.epoch.manifest, voucher.header, self.device.account)
        voucher_id = voucher.header.voucher_id
        adct = must_open(self.rkey, voucher.rct, payload_data(bound))
        key = item_key(self.device.keys.ad_key.reveal(), voucher_id)
        if self.plan.kind is Kind.SYNTHETIC:
            key = self.drawn.fake_ad_keys[self.place].tobytes()
        order = self.drawn.orders[self.place].tolist()
        slots = [self.slot(order.index(sent), sent, voucher, bound) for sent in range(len(order))]
        opened, matched = match_record(self.epoch, self.device.account, voucher)
        record = {
            "kind": self.plan.kind.value,
            "id": voucher_id.hex(),
            "rkey": self.rkey.hex(),
            "header": voucher.header.encode().hex(),
            "context": bound.hex(),
            "associated_data": {
                "key": key.hex(),
                "padded": must_open(key, adct, Label.AD.value + voucher_id).hex(),
                "adct": adct.hex(),
            },
            "rct": voucher.rct.hex(),
            "slots": slots,
            "octets": voucher.encode().hex(),
            "match": matched,
        }
        return record, opened

    def slot(self, number: int, sent: int, voucher: Voucher, bound: bytes) -> Record:
        """One slot; `number` is its place before the slots were put in order."""
        slot, manifest = voucher.slots[sent], self.device.manifest
        beta, gamma = (scalars[self.place, number] for scalars in (self.drawn.betas, self.drawn.gammas))
        probe, candidate = divmod(number, manifest.geometry.candidates)
        own = self.plan.kind is Kind.REAL and probe < len(self.item.probes)
        element = self.candidate(probe, candidate) if own else None
        content, s = "random", None
        if element is not None:
            content = "real"
            s = manifest.group.add(product(manifest, beta, element), product(manifest, gamma, manifest.key)).tobytes()
        elif self.plan.kind is Kind.SYNTHETIC and number == 0:
            content, s = "synthetic", product(manifest, gamma, manifest.key).tobytes()
        kek = slot_key(manifest, s, slot.q) if s else self.drawn.keks[self.place, number].tobytes()
        return {
            "content": content,
            "probe": probe if own else None,
            "candidate": candidate if own else None,
            "beta": beta.tobytes().hex() if content == "real" else None,
            "gamma": gamma.tobytes().hex(),
            "Q": slot.q.hex(),
            "S": s.hex() if s else None,
            "kek": kek.hex(),
            "plaintext": must_open(kek, slot.ct, slot_data(bound)).hex(),
            "ct": slot.ct.hex(),
        }

    def candidate(self, probe: int, candidate: int) -> bytes | None:
        """A candidate of a probe, None if it is bad."""
        found = self.device.table.lookup([self.item.probes[probe].encode()])
        return bytes(found.elements[0, candidate].tobytes()) if found.good[0, candidate] else None


def product(manifest: Manifest, scalar: Row, element: bytes) -> Rows:
    """One scalar times one element."""
    return manifest.group.multiply(scalar.reshape(1, -1), np.frombuffer(element, np.uint8).reshape(1, -1))


def match_record(epoch: Epoch, account: str, voucher: Voucher) -> tuple[Opened | None, Record | None]:
    """What the server opens, and its record: the slot is found by trying each in the place of all."""
    opened = try_slots(epoch, account, voucher)
    if opened is None:
        return None, None
    index = next(
        i
        for i, slot in enumerate(voucher.slots)
        if try_slots(epoch, account, Voucher(voucher.header, (slot,) * len(voucher.slots), voucher.rct))
    )
    manifest, slot = epoch.manifest, voucher.slots[index]
    s = product(manifest, epoch.secrets.scalar(manifest.group), slot.q).tobytes()
    bound = slot_data(context(manifest, voucher.header, account))
    rkey = must_open(slot_key(manifest, s, slot.q), slot.ct, bound)[:32]
    share, malformed = opened.share.hex(), opened.malformed
    return opened, {"slot": index, "rkey": rkey.hex(), "share": share, "malformed": malformed}


def try_slots(epoch: Epoch, account: str, voucher: Voucher) -> Opened | None:
    """The library's match of one voucher."""
    return match(epoch.manifest, epoch.secrets, [Submission(account, voucher.encode())])[0]


def detection_record(keys: AccountKeys, opened: Sequence[Opened], rng: Drbg) -> Record:
    """What the library makes of the opened vouchers of a pool."""
    found = examine(keys.pool, opened, rng=rng)
    judged = list(zip(opened, found.verdicts, found.associated, strict=True))

    def shares_of(*verdicts: Verdict) -> list[str]:
        return sorted({one.share.hex() for one, verdict, _ in judged if verdict in verdicts})

    def ids_of(verdict: Verdict) -> list[str]:
        return sorted(one.voucher_id.hex() for one, v, _ in judged if v is verdict)

    revealed = [{"voucher": one.voucher_id.hex(), "ad": ad.hex()} for one, _, ad in judged if ad is not None]
    taking_part = {Verdict.REVEALED, Verdict.UNOPENED, Verdict.REJECTED, Verdict.WITHHELD}
    decided = found.ad_key is not None
    return {
        "result": RESULTS[found.outcome],
        "malformed": ids_of(Verdict.MALFORMED),
        "conflicting": shares_of(Verdict.CONFLICTING),
        "distinct": shares_of(*taking_part),
        "constants": encode(keys.coefficients[:, 0]).hex() if decided else None,
        "k_ad": found.ad_key.reveal().hex() if found.ad_key else None,
        "real": shares_of(Verdict.REVEALED, Verdict.UNOPENED),
        "rejected": shares_of(Verdict.REJECTED),
        "revealed": sorted(revealed, key=lambda entry: entry["voucher"]),
        "flagged": ids_of(Verdict.UNOPENED),
    }
