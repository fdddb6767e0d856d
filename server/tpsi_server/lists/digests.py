"""Digests: the text of one digest, judged strictly and turned into a record."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tpsi.errors import CallerError
from tpsi.items import DIGEST_SIZES, ItemHash
from tpsi.pictures import DCT_BITS
from tpsi_server.lists.kinds import Kind, Kinds
from tpsi_server.lists.records import Addition, Deletion, Ignored, Reason, Record, Refusal, Unit

#: Digest lengths, in hexadecimal digits, that only one type has in practice. 64 digits are not here,
#: they are sha256 or pdq; neither are 16, which every 64-bit perceptual hash has.
INFERRED_TYPES = {32: "md5", 40: "sha1", 128: "sha512"}

#: Digests that every empty or blank item has, so that one of them on a list would match half the world:
#: the empty file, and for phash the picture of one colour. All-zero and all-one digests are refused by rule.
DEGENERATE = frozenset(
    [
        ItemHash("md5", hashlib.md5(b"", usedforsecurity=False).digest()),
        ItemHash("sha1", hashlib.sha1(b"", usedforsecurity=False).digest()),
        ItemHash("sha256", hashlib.sha256(b"").digest()),
        ItemHash("sha512", hashlib.sha512(b"").digest()),
        ItemHash("phash", bytes.fromhex("8000000000000000")),
    ]
)

#: Bits of the hashes that have exactly half of their bits set; another such digest could never match.
DCT_SIZES = {f"dct{bits}": bits for bits in DCT_BITS}

#: Characters of a bad value that a message repeats: enough to find it, too few to flood a terminal.
EXCERPT = 40

#: Hexadecimal digits of the shortest digest that providers exchange (64 bits).
SHORTEST = 16

_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
_QUOTES = "\"'"


def excerpt(text: str) -> str:
    """The beginning of `text` in printable ASCII between quotes: safe to show on a terminal."""
    shown = ascii(text[:EXCERPT])
    return shown if len(text) <= EXCERPT else shown + "..."


def unquote(text: str) -> str:
    """`text` without surrounding blanks and without one pair of equal quotes around it."""
    text = text.strip()
    if len(text) >= 2 and text[0] in _QUOTES and text[0] == text[-1]:
        text = text[1:-1].strip()
    return text


def is_hex(text: str) -> bool:
    """Whether `text` is hexadecimal digits only, at least one."""
    return _HEX.match(text) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a value stands; see `Addition` for the fields."""

    line: int
    number: int
    unit: Unit = Unit.LINE
    entry: str | None = None

    def refuse(self, reason: Reason, detail: str) -> Refusal:
        """A refusal of something at this place."""
        return Refusal(self.line, reason, detail, self.number, self.unit)

    def ignore(self, kind: str) -> Ignored:
        """A note that something at this place was passed over."""
        return Ignored(kind, self.line, self.number)

    def judge(self, kind: Kind | None, text: str, kinds: Kinds, *, base64_too: bool = False) -> Record:
        """The record for the digest `text` at this place.

        `kind` None means that the list does not say: then `kinds.default_type`, then the length decides.
        With `base64_too` a digest may be in base64, which is told from hexadecimal by its length.
        """
        if kind is not None and not kind.supported:
            return self.ignore(kind.label)
        value = unquote(text)
        label = kinds.default_type if kind is None else kind.label
        digest = _from_base64(value, label) if base64_too else None
        if digest is None:
            fault = _fault(value, label)
            if fault is not None:
                return self.refuse(*fault)
            label = label or INFERRED_TYPES[len(value)]
            digest = bytes.fromhex(value)
        return self.admit(label or "", digest)

    def withdraw(self, found: Sequence[Record]) -> Iterator[Record]:
        """The records for a deletion here, whose hashes, if it carries any, were judged to be `found`."""
        items = [record.item for record in found if isinstance(record, Addition)]
        if self.entry is not None:
            yield Deletion(self.line, None, self.entry, self.number)
        elif not items:
            yield self.refuse(Reason.BAD_ENTRY, "the deletion names neither an entry nor a hash")
        for item in items:
            yield Deletion(self.line, item, self.entry, self.number)
        yield from (record for record in found if not isinstance(record, Addition))

    def admit(self, label: str, digest: bytes) -> Record:
        """The record for a digest here whose type is known."""
        try:
            item = ItemHash(label, digest)
        except CallerError as error:
            return self.refuse(Reason.WRONG_LENGTH, str(error))
        if item in DEGENERATE:
            return self.refuse(Reason.DEGENERATE, f"this {label} is the one of every empty or blank item")
        if not any(digest) or digest == b"\xff" * len(digest):
            return self.refuse(Reason.DEGENERATE, f"this {label} is all zeros or all ones, so it stands for no item")
        bits = DCT_SIZES.get(label)
        if bits is not None and 2 * int.from_bytes(digest).bit_count() != bits:
            return self.refuse(Reason.DEGENERATE, f"no picture has this {label}: half of its bits are set in each")
        return Addition(item, self.line, self.entry, self.number)


def _fault(value: str, label: str | None) -> tuple[Reason, str] | None:
    """What keeps `value` from being a hexadecimal digest of type `label` (None: to be inferred)."""
    if not value:
        return Reason.NO_HASH, "the digest is empty"
    if not is_hex(value):
        return Reason.NOT_HEXADECIMAL, f"{excerpt(value)} is not hexadecimal"
    if len(value) % 2:
        return Reason.ODD_LENGTH, f"{excerpt(value)} has {len(value)} hexadecimal digits, an odd number"
    if label is not None or len(value) in INFERRED_TYPES:
        return None
    fitting = sorted(name for name, size in DIGEST_SIZES.items() if 2 * size == len(value))
    if fitting:
        return (
            Reason.AMBIGUOUS_TYPE,
            f"{len(value)} hexadecimal digits may be {' or '.join(fitting)}: name the type",
        )
    return Reason.WRONG_LENGTH, f"no known type has {len(value)} hexadecimal digits"


def _from_base64(value: str, label: str | None) -> bytes | None:
    size = DIGEST_SIZES.get(label or "", 0)
    if not size or len(value) != 4 * ((size + 2) // 3) or len(value) == 2 * size:
        return None
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == size else None
