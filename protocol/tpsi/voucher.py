"""The voucher: layout, padding, keys, and what its ciphertexts are bound to (specification, sections 7.1 to 7.3).

One voucher is read and written here, many at once in `tpsi.packing`.
"""

import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from tpsi.bulk import kdf_many
from tpsi.errors import CallerError, DecodeError
from tpsi.field import ELEMENT_SIZE as FIELD_SIZE
from tpsi.groups import Rows, Strings, group
from tpsi.groups.rows import beside
from tpsi.labels import Label
from tpsi.manifest import MANIFEST_ID_SIZE, Manifest
from tpsi.symmetric import KEY_SIZE, TAG_SIZE, kdf

VERSION = 1
VOUCHER_ID_SIZE = 16
HEADER_SIZE = 40
_HEADER = struct.Struct(">B16s16sIHB")
#: 256 probes with two candidates each.
MAX_SLOTS = 512
MAX_SIZE_CLASS = 23
MAX_ACCOUNT = 64
_LENGTH_SIZE = 4


#: Octets of padded associated data in every size class: 0, then 64, 96, 128, 192, 256 … 131 072.
_PADDED = (0, *((2 + (c - 1) % 2) << (5 + (c - 1) // 2) for c in range(1, MAX_SIZE_CLASS + 1)))
_CAPACITIES = tuple(max(0, size - _LENGTH_SIZE) for size in _PADDED)


def padded_size(size_class: int) -> int:
    """Octets of padded associated data in a size class."""
    if not 0 <= size_class <= MAX_SIZE_CLASS:
        raise CallerError(f"a size class is 0 to {MAX_SIZE_CLASS}, not {size_class}")
    return _PADDED[size_class]


def capacity(size_class: int) -> int:
    """The longest associated data that fits a size class."""
    return max(0, padded_size(size_class) - _LENGTH_SIZE)


def smallest_class(length: int) -> int:
    """The smallest size class for associated data of this length; CallerError if it is too long for all."""
    size_class = bisect_left(_CAPACITIES, length)
    if size_class > MAX_SIZE_CLASS:
        raise CallerError(f"associated data has at most {capacity(MAX_SIZE_CLASS)} octets, not {length}")
    return size_class


def check_fits(data: bytes, size_class: int) -> None:
    """CallerError unless the size class exists and has room for the associated data."""
    if len(data) > capacity(size_class):
        raise CallerError(f"{len(data)} octets of associated data do not fit size class {size_class}")


def pad(data: bytes, size_class: int) -> bytes:
    """Pad associated data to its class; CallerError if it does not fit."""
    check_fits(data, size_class)
    if size_class == 0:
        return b""
    return (len(data).to_bytes(_LENGTH_SIZE, "big") + data).ljust(padded_size(size_class), b"\0")


def unpad(padded: bytes) -> bytes:
    """Inverse of `pad`; DecodeError if the padding is not as `pad` makes it."""
    if not padded:
        return b""
    length = int.from_bytes(padded[:_LENGTH_SIZE], "big")
    end = _LENGTH_SIZE + length
    if end > len(padded) or any(padded[end:]):
        raise DecodeError("the padding of associated data is wrong")
    return padded[_LENGTH_SIZE:end]


def share_size(rows: int) -> int:
    """Octets of an encoded share: coordinate and rows."""
    return FIELD_SIZE * (rows + 1)


@dataclass(frozen=True, slots=True)
class Header:
    """The first 40 octets of a voucher; they are bound into each of its ciphertexts."""

    manifest_id: bytes
    voucher_id: bytes
    generation: int
    slots: int
    size_class: int

    def __post_init__(self) -> None:
        if len(self.manifest_id) != MANIFEST_ID_SIZE or len(self.voucher_id) != VOUCHER_ID_SIZE:
            raise CallerError("a manifest id and a voucher id have 16 octets each")
        if not 0 <= self.generation < 2**32:
            raise CallerError("a generation is 0 to 2^32 - 1")
        if not 1 <= self.slots <= MAX_SLOTS:
            raise CallerError(f"a voucher has 1 to {MAX_SLOTS} slots, not {self.slots}")
        if not 0 <= self.size_class <= MAX_SIZE_CLASS:
            raise CallerError(f"a size class is 0 to {MAX_SIZE_CLASS}, not {self.size_class}")

    def encode(self) -> bytes:
        """`u8(1) ‖ manifest id ‖ voucher id ‖ u32(g) ‖ u16(slots) ‖ u8(size class)`."""
        return _HEADER.pack(VERSION, self.manifest_id, self.voucher_id, self.generation, self.slots, self.size_class)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header at the front of a voucher, all that a transport needs; DecodeError if there is none."""
        if len(data) < HEADER_SIZE:
            raise DecodeError(f"the voucher's header ends after {len(data)} octets, {HEADER_SIZE} are needed")
        version, manifest_id, voucher_id, generation, slots, size_class = _HEADER.unpack_from(data)
        if version != VERSION:
            raise DecodeError("the voucher is not of version 1")
        try:
            return cls(manifest_id, voucher_id, generation, slots, size_class)
        except CallerError as error:
            raise DecodeError(f"the voucher's header is malformed: {error}") from None


class Slot(NamedTuple):
    """One chance to open a voucher: `q` is an encoded element, `ct` the sealed rkey and share."""

    q: bytes
    ct: bytes


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher as it travels; `rct` is the outer payload."""

    header: Header
    slots: tuple[Slot, ...]
    rct: bytes

    def __repr__(self) -> str:
        return f"<Voucher {self.header.voucher_id.hex()}>"

    def encode(self) -> bytes:
        """The voucher's octets."""
        return b"".join([self.header.encode(), *(slot.q + slot.ct for slot in self.slots), self.rct])

    @classmethod
    def decode(cls, data: bytes, manifest: Manifest) -> Self:
        """Inverse of `encode`, for vouchers sealed under this manifest; DecodeError for anything else.

        Elements are checked when they are matched, not here: an invalid one spoils its slot alone.
        """
        header = decode_header(data, manifest)
        size = slot_size(manifest)
        q_end = size - KEY_SIZE - share_size(manifest.sharing.rows) - TAG_SIZE
        end = HEADER_SIZE + header.slots * size
        slots = tuple(
            [Slot(data[at : at + q_end], data[at + q_end : at + size]) for at in range(HEADER_SIZE, end, size)]
        )
        return cls(header, slots, data[end:])


def decode_header(data: bytes, manifest: Manifest) -> Header:
    """The header of a voucher that `Voucher.decode` accepts for this manifest; DecodeError for anything else."""
    header = Header.decode(data)
    if header.manifest_id != manifest.manifest_id:
        raise DecodeError("the voucher was sealed for another epoch or list")
    if header.slots != manifest.slots:
        raise DecodeError(f"a voucher of this list has {manifest.slots} slots, this one {header.slots}")
    if len(data) != voucher_size(manifest, header.size_class):
        raise DecodeError("the voucher's length does not follow from its header")
    return header


def slot_count(manifest: Manifest) -> int:
    """Slots of every voucher under a manifest: probes times candidates."""
    return manifest.slots


def slot_size(manifest: Manifest) -> int:
    """Octets of a slot under a manifest."""
    return _slot_size(manifest.suite, manifest.sharing.rows)


@lru_cache(maxsize=64)
def _slot_size(suite: str, rows: int) -> int:
    return group(suite).element_size + KEY_SIZE + share_size(rows) + TAG_SIZE


def voucher_size(manifest: Manifest, size_class: int) -> int:
    """Octets of a voucher under a manifest, for associated data of a size class."""
    return HEADER_SIZE + manifest.slots * slot_size(manifest) + padded_size(size_class) + 2 * TAG_SIZE


def context(manifest: Manifest, header: Header, account: str) -> bytes:
    """What every ciphertext of a voucher is bound to: `D ‖ header ‖ u8(|account|) ‖ account`."""
    return contexts(manifest, [header.encode()], [account])[0]


def contexts(manifest: Manifest, vouchers: Sequence[bytes], accounts: Sequence[str]) -> list[bytes]:
    """`context` of many encoded vouchers, or headers, each with its account."""
    digest = manifest.digest
    after = {account: encode_account(account) for account in set(accounts)}
    return [
        digest + voucher[:HEADER_SIZE] + after[account] for voucher, account in zip(vouchers, accounts, strict=True)
    ]


def encode_account(account: str) -> bytes:
    """`u8(|account|) ‖ account`; CallerError unless it has 1 to 64 printable ASCII characters."""
    if not 1 <= len(account) <= MAX_ACCOUNT or not account.isascii() or not account.isprintable():
        raise CallerError(f"an account is named by 1 to {MAX_ACCOUNT} printable ASCII characters")
    return bytes((len(account),)) + account.encode("ascii")


def context_rows(manifest: Manifest, headers: Rows, account: str) -> Rows:
    """(n, …): `context` of many headers (n, 40) of one account."""
    return beside(manifest.digest, headers, encode_account(account))


def slot_data(bound: bytes) -> bytes:
    """Associated data of a slot's ciphertext."""
    return Label.SLOT + bound


def payload_data(bound: bytes) -> bytes:
    """Associated data of the outer payload."""
    return Label.PAYLOAD + bound


def slot_key(manifest: Manifest, s: bytes, q: bytes) -> bytes:
    """kek: 32 octets from the encoded S and Q (7.3)."""
    return kdf(Label.SLOT_KEY, s + q, manifest.digest, b"", KEY_SIZE)


def slot_keys(manifest: Manifest, s: Rows, q: Rows) -> Rows:
    """(n, 32): the kek of every slot (7.3)."""
    return kdf_many(Label.SLOT_KEY, np.hstack([s, q]), manifest.digest, [b""])


def item_key(ad_key: bytes, voucher_id: bytes) -> bytes:
    """The key of one voucher's associated data (7.2)."""
    return kdf(Label.AD_ITEM, ad_key, b"", voucher_id, KEY_SIZE)


def item_keys(ad_key: bytes, voucher_ids: Strings) -> Rows:
    """(n, 32): the key of every voucher's associated data (7.2)."""
    return kdf_many(Label.AD_ITEM, [ad_key], b"", voucher_ids)
