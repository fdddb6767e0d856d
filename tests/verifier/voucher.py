"""Section 7: what a device seals for an item, slot by slot, from the recorded random values."""

from collections.abc import Sequence
from dataclasses import dataclass

from .epoch import Epoch, read_scalar
from .items import Item, read_item
from .notation import kdf, seal, u8, u16, u32
from .shares import (
    Keys,
    decision,
    encode_values,
    item_memory_tag,
    memory_tag,
    share_of,
    subject,
    synthetic_share,
)
from .table import lookup, positions
from .transcript import Node, WrongValueError

HEADER = 40
MAX_SLOTS = 512
MAX_CLASS = 23


@dataclass(frozen=True)
class Setting:
    """Where vouchers are sealed: one account's pool under one epoch."""

    epoch: Epoch
    account: bytes
    keys: Keys

    @property
    def slot_size(self) -> int:
        return self.epoch.group.element_size + self.plaintext_size + 16

    @property
    def plaintext_size(self) -> int:
        return 32 + 8 * (self.keys.sharing.rows + 1)

    @property
    def slots(self) -> int:
        """P·C."""
        return int(self.epoch.manifest["probes"]["per_item"]) * self.epoch.table.candidates

    def context(self, header: bytes) -> bytes:
        return self.epoch.manifest.digest + header + u8(len(self.account)) + self.account


@dataclass(frozen=True)
class Probe:
    """One probe of an item, with its candidates (None: bad) and its share."""

    y: bytes
    candidates: Sequence[bytes | None]
    share: bytes


@dataclass(frozen=True)
class SealedItem:
    """An item of the device as it is to be sealed."""

    probes: list[Probe]
    ad: bytes
    size_class: int
    synthetic_share: bytes


def padded_size(size_class: int) -> int:
    return (2 + (size_class - 1) % 2) * 2 ** (5 + (size_class - 1) // 2) if size_class else 0


def pad(ad: bytes, size_class: int) -> bytes | None:
    """The padded associated data, None if it does not fit the class."""
    if size_class == 0:
        return None if ad else b""
    framed = u32(len(ad)) + ad
    size = padded_size(size_class)
    return framed.ljust(size, b"\x00") if len(framed) <= size else None


def unpad(padded: bytes) -> bytes | None:
    """The associated data, None if this is not the padding of any."""
    ad = padded[4 : 4 + int.from_bytes(padded[:4], "big")]
    return ad if u32(len(ad)) + ad + bytes(max(0, len(padded) - 4 - len(ad))) == padded or not padded else None


def pool_ad_key(keys: Keys, constants: Sequence[int]) -> bytes:
    """k_ad."""
    return kdf("tpsi-v1-ad-key", encode_values(constants), keys.scope, keys.sharing.info, 32)


def item_ad_key(k_ad: bytes, voucher_id: bytes) -> bytes:
    return kdf("tpsi-v1-ad-item", k_ad, b"", voucher_id, 32)


def slot_key(shared: bytes, q: bytes, manifest_digest: bytes) -> bytes:
    """kek."""
    return kdf("tpsi-v1-slot-key", shared + q, manifest_digest, b"", 32)


def check_probe(node: Node, setting: Setting, identifier: bytes | None, k_memory: bytes) -> Probe:
    item: Item = read_item(node["item"])
    if item.label not in setting.epoch.manifest["types"]:
        raise WrongValueError(node["item"]["label"].path, "is no type of the list")
    epoch, z = setting.epoch, subject(setting.keys, item.y, identifier)
    node["positions"].expect(positions(epoch.table, epoch.seed, item.y))
    candidates = lookup(epoch.group, epoch.table, epoch.seed, epoch.cells, item.y)
    node["candidates"].expect(candidates)
    node["tag"].expect(memory_tag(k_memory, item.y))
    made = share_of(setting.keys, z)
    node["coordinate"].expect(made[:8])
    node["share"].expect(made)
    return Probe(item.y, candidates, made)


def check_item(node: Node, setting: Setting, k_memory: bytes, remembered: set[bytes]) -> int:
    """An item with all its vouchers; remembers its tags; returns how many vouchers it has."""
    sharing, synthetic = setting.keys.sharing, setting.epoch.manifest["synthetic"]
    identifier = node["identifier"].octets() if sharing.count_by == "item" else None
    if identifier is None:
        node["identifier"].expect(None)
    probes = [check_probe(entry, setting, identifier, k_memory) for entry in node["probes"]]
    if not 1 <= len(probes) <= setting.epoch.manifest["probes"]["per_item"]:
        raise WrongValueError(node["probes"].path, "are none or too many")
    z = subject(setting.keys, probes[0].y, identifier)
    node["decision"].expect(decision(setting.keys, z))
    chosen = decision(setting.keys, z) < synthetic["per_million"]
    node["chosen"].expect(chosen)
    node["synthetic_share"].expect(synthetic_share(setting.keys, z))
    tags = {memory_tag(k_memory, probe.y) for probe in probes}
    item_tag = None if identifier is None else item_memory_tag(k_memory, identifier)
    node["tag"].expect(item_tag)
    tags |= set() if item_tag is None else {item_tag}
    known = not tags.isdisjoint(remembered)
    node["known"].expect(known)
    item = SealedItem(probes, node["ad"].octets(), node["size_class"].integer(), synthetic_share(setting.keys, z))
    kinds = voucher_kinds(known, chosen, synthetic["mode"])
    if len(node["vouchers"]) != len(kinds):
        raise WrongValueError(node["vouchers"].path, f"should be {len(kinds)}: {', '.join(kinds)}")
    for entry, kind in zip(node["vouchers"], kinds, strict=True):
        check_voucher(entry, setting, item, kind)
    remembered |= tags
    return len(kinds)


def voucher_kinds(known: bool, chosen: bool, mode: str) -> list[str]:
    """Section 7.5."""
    if known:
        return ["null"]
    if chosen and mode != "none":
        return ["synthetic"] if mode == "replace" else ["real", "synthetic"]
    return ["real"]


def check_voucher(node: Node, setting: Setting, item: SealedItem, kind: str) -> None:
    node["kind"].expect(kind)
    voucher_id, rkey = node["id"].octets(), node["rkey"].octets()
    header = u8(1) + setting.epoch.manifest.id + voucher_id + u32(setting.keys.sharing.generation)
    header += u16(setting.slots) + u8(item.size_class)
    if len(header) != HEADER or len(rkey) != 32:
        raise WrongValueError(node.path, "has an id or an rkey of a wrong length")
    node["header"].expect(header)
    context = setting.context(header)
    node["context"].expect(context)
    adct = check_associated_data(node["associated_data"], setting, item, kind, voucher_id)
    rct = seal(rkey, adct, b"tpsi-v1-payload" + context)
    node["rct"].expect(rct)
    check_slot_plan(node["slots"], setting, item, kind)
    slots = [check_slot(entry, setting, item, rkey, context) for entry in node["slots"]]
    node["octets"].expect(header + b"".join(slots) + rct)


def check_associated_data(node: Node, setting: Setting, item: SealedItem, kind: str, voucher_id: bytes) -> bytes:
    """The adct: of the padded ad under its derived key, or of zeros under a uniform key."""
    padded = pad(item.ad, item.size_class)
    if padded is None or item.size_class > MAX_CLASS:
        raise WrongValueError(node.path, "the associated data does not fit its size class")
    key = node["key"].octets()
    if kind == "synthetic":
        padded = bytes(len(padded))
    else:
        k_ad = pool_ad_key(setting.keys, [row[0] for row in setting.keys.polynomials])
        node["key"].expect(item_ad_key(k_ad, voucher_id))
    node["padded"].expect(padded)
    adct = seal(key, padded, b"tpsi-v1-ad" + voucher_id)
    node["adct"].expect(adct)
    return adct


def check_slot_plan(node: Node, setting: Setting, item: SealedItem, kind: str) -> None:
    """Which slots there must be, in any order."""
    found = []
    for slot in node:
        probe, candidate = slot["probe"], slot["candidate"]
        place = None if probe.is_null() and candidate.is_null() else (probe.integer(), candidate.integer())
        found.append((slot["content"].text(), place))
    wanted: list[tuple[str, tuple[int, int] | None]] = []
    if kind == "synthetic":
        wanted = [("synthetic", None)]
    elif kind == "real":
        wanted = [
            ("random" if element is None else "real", (i, k))
            for i, probe in enumerate(item.probes)
            for k, element in enumerate(probe.candidates)
        ]
    wanted += [("random", None)] * (setting.slots - len(wanted))
    if sorted(found, key=str) != sorted(wanted, key=str):
        raise WrongValueError(node.path, f"are not the slots of a {kind} voucher of this item")


def check_slot(node: Node, setting: Setting, item: SealedItem, rkey: bytes, context: bytes) -> bytes:
    """One slot's Q, S, kek, plaintext and ct; returns Q ‖ ct."""
    epoch, group, content = setting.epoch, setting.epoch.group, node["content"].text()
    gamma = read_scalar(node["gamma"], group)
    q, shared = group.multiply(gamma, group.generator), group.multiply(gamma, epoch.key)
    probe = None if node["probe"].is_null() else item.probes[node["probe"].integer()]
    if content == "real" and probe is not None:
        candidate = probe.candidates[node["candidate"].integer()]
        beta = read_scalar(node["beta"], group)
        q = group.add(group.multiply(beta, group.item(probe.y)), q)
        shared = group.add(group.multiply(beta, candidate or group.identity), shared)
    else:
        node["beta"].expect(None)
    node["Q"].expect(q)
    if group.identity in (q, shared):
        raise WrongValueError(node["Q"].path, "Q or S is the identity")
    kek = node["kek"].octets()
    if content == "random":
        node["S"].expect(None)
    else:
        node["S"].expect(shared)
        node["kek"].expect(slot_key(shared, q, epoch.manifest.digest))
    plaintext = bytes(setting.plaintext_size)
    if content == "synthetic":
        plaintext = rkey + item.synthetic_share
    elif content == "real" and probe is not None:
        plaintext = rkey + probe.share
    node["plaintext"].expect(plaintext)
    ct = seal(kek, plaintext, b"tpsi-v1-slot" + context)
    node["ct"].expect(ct)
    return q + ct
