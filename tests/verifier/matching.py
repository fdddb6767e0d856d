"""Section 8: taking a delivered voucher apart, and opening it with α."""

from dataclasses import dataclass

from .elements import Group
from .notation import FIELD, open_, os2ip
from .voucher import HEADER, MAX_CLASS, MAX_SLOTS, Setting, padded_size, slot_key


class MalformedError(Exception):
    """Octets that are not a voucher for this setting."""


@dataclass(frozen=True)
class Voucher:
    """A delivered voucher taken apart."""

    header: bytes
    slots: list[tuple[bytes, bytes]]
    rct: bytes

    @property
    def id(self) -> bytes:
        return self.header[17:33]


@dataclass(frozen=True)
class Opened:
    """What α opens of a voucher, and in which slot."""

    slot: int
    rkey: bytes
    share: bytes
    adct: bytes

    @property
    def malformed(self) -> bool:
        values = split_share(self.share)
        return values[0] == 0 or max(values) >= FIELD


def split_share(share: bytes) -> list[int]:
    return [os2ip(share[i : i + 8]) for i in range(0, len(share), 8)]


def decode_voucher(octets: bytes, setting: Setting) -> Voucher:
    """Section 7.1; MalformedError if it is not a voucher of this manifest."""
    header = octets[:HEADER]
    if len(header) < HEADER or header[0] != 1:
        raise MalformedError("no header of version 1")
    count, size_class = os2ip(header[37:39]), header[39]
    if header[1:17] != setting.epoch.manifest.id:
        raise MalformedError("of another epoch or list")
    if not 1 <= count <= MAX_SLOTS or count != setting.slots or size_class > MAX_CLASS:
        raise MalformedError("a count or class out of range")
    end = HEADER + count * setting.slot_size
    if len(octets) != end + padded_size(size_class) + 32:
        raise MalformedError("another length than its header says")
    element_size = setting.epoch.group.element_size
    raw = [octets[i : i + setting.slot_size] for i in range(HEADER, end, setting.slot_size)]
    return Voucher(header, [(slot[:element_size], slot[element_size:]) for slot in raw], octets[end:])


def open_slot(slot: tuple[bytes, bytes], rct: bytes, setting: Setting, context: bytes) -> Opened | None:
    """One slot with α; None if it is no match. The index is set by the caller."""
    group: Group = setting.epoch.group
    q, ct = slot
    if not group.is_valid(q):
        return None
    kek = slot_key(group.multiply(setting.epoch.alpha, q), q, setting.epoch.manifest.digest)
    plaintext = open_(kek, ct, b"tpsi-v1-slot" + context)
    if plaintext is None:
        return None
    adct = open_(plaintext[:32], rct, b"tpsi-v1-payload" + context)
    return None if adct is None else Opened(0, plaintext[:32], plaintext[32:], adct)


def match(voucher: Voucher, setting: Setting) -> Opened | None:
    """The first slot that opens together with rct."""
    context = setting.context(voucher.header)
    for i, slot in enumerate(voucher.slots):
        opened = open_slot(slot, voucher.rct, setting, context)
        if opened is not None:
            return Opened(i, opened.rkey, opened.share, opened.adct)
    return None
