"""Vouchers that no honest device sends, and what the server makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tests.vectors.making.devices import Account, match_record
from tests.vectors.making.stage import Epoch, Record, Stage
from tpsi import DecodeError, Slot, Voucher
from tpsi.field import P
from tpsi.symmetric import seal
from tpsi.voucher import context, payload_data, slot_data, slot_key

Case = tuple[str, int, int, bytes]
"""Name, index of the account, index of its batch, the octets delivered."""


@dataclass(frozen=True)
class Target:
    """Where a voucher is delivered: an account's batch, with a voucher of it that matches."""

    account: int
    batch: int
    name: str
    epoch: Epoch
    octets: bytes
    adct: bytes
    share: bytes

    @property
    def voucher(self) -> Voucher:
        """The matching voucher."""
        return Voucher.decode(self.octets, self.epoch.manifest)


def target(stage: Stage, accounts: list[Account], account: int, batch: int) -> Target:
    """The first matching voucher of a batch that has associated data."""
    record = accounts[account].batches[batch]
    vouchers = [voucher for item in record["items"] for voucher in item["vouchers"]]
    chosen = next(v for v in vouchers if v["match"] and v["kind"] == "real" and v["associated_data"]["padded"])
    return Target(
        account,
        batch,
        accounts[account].name,
        stage.epochs[record["epoch"]],
        bytes.fromhex(chosen["octets"]),
        bytes.fromhex(chosen["associated_data"]["adct"]),
        bytes.fromhex(chosen["match"]["share"]),
    )


def crafted_slot(stage: Stage, aim: Target, plaintext: bytes) -> Slot:
    """A slot that opens to any plaintext: whoever knows L can make one."""
    chosen, voucher = stage.group, aim.voucher
    gamma = chosen.random_scalars(1, stage.rng)
    q = chosen.multiply_base(gamma).tobytes()
    key = np.frombuffer(aim.epoch.manifest.key, np.uint8).reshape(1, -1)
    kek = slot_key(aim.epoch.manifest, chosen.multiply(gamma, key).tobytes(), q)
    bound = context(aim.epoch.manifest, voucher.header, aim.name)
    return Slot(q, seal(kek, plaintext, slot_data(bound)))


def changed(octets: bytes, position: int, value: int | None = None) -> bytes:
    """The octets with one of them replaced, or with its lowest bit flipped."""
    edited = bytearray(octets)
    edited[position] = edited[position] ^ 1 if value is None else value
    return bytes(edited)


def malformed(aim: Target) -> Iterator[tuple[str, bytes]]:
    """Octets that are no voucher of the manifest."""
    octets = aim.octets
    yield "no octets", b""
    yield "header only", octets[:40]
    yield "version 2", changed(octets, 0, 2)
    yield "another manifest id", changed(octets, 1)
    yield "no slots", changed(octets[:40], 38, 0) + octets[-(len(aim.adct) + 16) :]
    yield "one slot more than the manifest says", changed(octets, 38, octets[38] + 1)
    yield "513 slots", octets[:37] + (513).to_bytes(2, "big") + octets[39:]
    yield "size class 24", changed(octets, 39, 24)
    yield "another size class", changed(octets, 39, octets[39] + 1)
    yield "last octet missing", octets[:-1]
    yield "one octet too many", octets + b"\x00"


def spoiled(aim: Target, stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Changes of a voucher by which its ciphertexts no longer open, or its element is none."""
    octets, size = aim.octets, stage.group.element_size
    q = np.frombuffer(octets[40 : 40 + size], np.uint8).reshape(1, -1)
    negated = stage.group.subtract(np.zeros_like(q), q).tobytes()
    other = stage.group.multiply_base(stage.group.encode_scalars([2])).tobytes()
    yield "another voucher id", changed(octets, 17)
    yield "another generation", changed(octets, 36)
    yield "Q is the identity", octets[:40] + bytes(size) + octets[40 + size :]
    yield "Q is no element", octets[:40] + b"\xff" * size + octets[40 + size :]
    yield "Q is another element", octets[:40] + other + octets[40 + size :]
    yield "Q is negated", octets[:40] + negated + octets[40 + size :]
    yield "ct changed", changed(octets, 40 + size)
    yield "tag of ct changed", changed(octets, 40 + len(slot_octets(aim)) - 1)
    yield "rct changed", changed(octets, -len(aim.adct) - 1)
    yield "tag of rct changed", changed(octets, -1)


def slot_octets(aim: Target) -> bytes:
    """The first slot as it stands in the voucher."""
    return aim.voucher.slots[0].q + aim.voucher.slots[0].ct


def crafted_shares(aim: Target, stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Vouchers that open to shares which are none."""
    rkey = stage.rng(32)
    bound = context(aim.epoch.manifest, aim.voucher.header, aim.name)
    rct = seal(rkey, aim.adct, payload_data(bound))
    values = {
        "coordinate zero": bytes(8) + aim.share[8:],
        "coordinate p": P.to_bytes(8, "big") + aim.share[8:],
        "row p": aim.share[:-8] + P.to_bytes(8, "big"),
        "row with its top bits set": aim.share[:-8] + b"\xff" * 8,
        "rows of a real share in another order": aim.share[:8] + aim.share[16:] + aim.share[8:16],
    }
    for name, share in values.items():
        slot = crafted_slot(stage, aim, rkey + share)
        yield name, Voucher(aim.voucher.header, (slot, *aim.voucher.slots[1:]), rct).encode()


def several_slots(aim: Target, stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Vouchers of which more than one slot opens, and one with its slots in another order."""
    voucher, bound = aim.voucher, context(aim.epoch.manifest, aim.voucher.header, aim.name)
    rkeys = [stage.rng(32) for _ in range(2)]
    rct = seal(rkeys[1], aim.adct, payload_data(bound))
    wrong, right, late = (crafted_slot(stage, aim, r + aim.share) for r in (rkeys[0], rkeys[1], rkeys[1]))
    broken = Slot(bytes(len(right.q)), right.ct)
    rest = voucher.slots[2:]
    yield "the first slot's rkey does not open rct", replace(voucher, slots=(wrong, right, *rest), rct=rct).encode()
    yield "two slots open", replace(voucher, slots=(right, late, *rest), rct=rct).encode()
    yield "the first slot's Q is the identity", replace(voucher, slots=(broken, right, *rest), rct=rct).encode()
    yield "slots reversed", replace(voucher, slots=voucher.slots[::-1]).encode()


def deliveries(stage: Stage, accounts: list[Account]) -> list[Record]:
    """All cases with their results."""
    plain, several = target(stage, accounts, 0, 0), target(stage, accounts, 2, 0)
    cases: list[Case] = []
    for name, octets in (*malformed(plain), *spoiled(plain, stage), *crafted_shares(plain, stage)):
        cases.append((name, plain.account, plain.batch, octets))
    for name, octets in several_slots(several, stage):
        cases.append((name, several.account, several.batch, octets))
    cases.append(("for another account", 1, 0, plain.octets))
    return [case_record(stage, accounts, case) for case in cases]


def case_record(stage: Stage, accounts: list[Account], case: Case) -> Record:
    """One delivery as the library sees it."""
    name, account, batch, octets = case
    epoch = stage.epochs[accounts[account].batches[batch]["epoch"]]
    record = {"name": name, "account": account, "batch": batch, "octets": octets.hex()}
    try:
        voucher = Voucher.decode(octets, epoch.manifest)
    except DecodeError:
        return record | {"result": "malformed", "match": None}
    opened, matched = match_record(epoch, accounts[account].name, voucher)
    return record | {"result": "opened" if opened else "no match", "match": matched}
