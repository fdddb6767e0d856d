"""The entries of the log, each of one canonical form (specification, section 16.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from tpsi import canonical, members, merkle
from tpsi.canonical import MAX_INTEGER
from tpsi.errors import CallerError, DecodeError
from tpsi.merkle import DIGEST_SIZE

#: Octets of an entry: a digest, two numbers and a word.
MAX_ENTRY = 256
#: The longest that a server may wait before it tells a device of a reveal, in seconds: ten years.
MAX_NOTIFY_AFTER = 10 * 366 * 86_400


class _Encoded:
    """What all entries have: octets, and the digest that is the tree's leaf."""

    def members(self) -> dict[str, Any]:
        """The members of the JSON object."""
        raise TypeError("an entry has members")

    @property
    def encoded(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(self.members())

    @property
    def leaf(self) -> bytes:
        """The leaf digest."""
        return merkle.leaf_digest(self.encoded)


@dataclass(frozen=True)
class ManifestEntry(_Encoded):
    """An epoch came into force. It has no time of its own, so that whoever holds the manifest knows the leaf."""

    kind: ClassVar[str] = "manifest"
    epoch: int
    digest: bytes

    def __post_init__(self) -> None:
        _check_number(self.epoch, 1)
        _check_digest(self.digest)

    def members(self) -> dict[str, Any]:
        return {"digest": self.digest.hex(), "epoch": self.epoch, "type": self.kind}


@dataclass(frozen=True)
class PolicyEntry(_Encoded):
    """From here on accounts are told of a reveal after so many seconds; None: they are not told."""

    kind: ClassVar[str] = "policy"
    time: int
    notify_after: int | None

    def __post_init__(self) -> None:
        _check_number(self.time)
        if self.notify_after is not None and not 0 <= self.notify_after <= MAX_NOTIFY_AFTER:
            raise CallerError(f"devices are told of a reveal after 0 to {MAX_NOTIFY_AFTER} seconds")

    def members(self) -> dict[str, Any]:
        return {"notify_after": self.notify_after, "time": self.time, "type": self.kind}


@dataclass(frozen=True)
class RevealEntry(_Encoded):
    """Something was revealed; of what, only the openings of the batch's commitments tell (`notice.batch_root`)."""

    kind: ClassVar[str] = "reveal"
    time: int
    commitment: bytes

    def __post_init__(self) -> None:
        _check_number(self.time)
        _check_digest(self.commitment)

    def members(self) -> dict[str, Any]:
        return {"commitment": self.commitment.hex(), "time": self.time, "type": self.kind}


@dataclass(frozen=True)
class OpeningEntry(_Encoded):
    """The commitments in this place of the log are open to their accounts from now on."""

    kind: ClassVar[str] = "opening"
    time: int
    index: int

    def __post_init__(self) -> None:
        _check_number(self.time)
        _check_number(self.index)

    def members(self) -> dict[str, Any]:
        return {"index": self.index, "time": self.time, "type": self.kind}


Entry: TypeAlias = ManifestEntry | PolicyEntry | RevealEntry | OpeningEntry


def decode_entry(data: bytes) -> Entry:
    """Inverse of `encoded`; DecodeError for anything that is not exactly an entry's canonical bytes."""
    value = canonical.decode(data, "an entry of the log", MAX_ENTRY)
    try:
        entry = _from_members(value)
    except (KeyError, TypeError, ValueError):
        raise DecodeError("an entry of the log is malformed") from None
    if entry.encoded != data:
        raise DecodeError("an entry of the log has members of its own")
    return entry


def _from_members(value: Mapping[str, Any]) -> Entry:
    kind = value["type"]
    if kind == ManifestEntry.kind:
        return ManifestEntry(members.integer(value["epoch"]), members.octets(value["digest"]))
    if kind == PolicyEntry.kind:
        after = value["notify_after"]
        return PolicyEntry(members.integer(value["time"]), None if after is None else members.integer(after))
    if kind == RevealEntry.kind:
        return RevealEntry(members.integer(value["time"]), members.octets(value["commitment"]))
    if kind == OpeningEntry.kind:
        return OpeningEntry(members.integer(value["time"]), members.integer(value["index"]))
    raise ValueError


def _check_number(value: int, least: int = 0) -> None:
    if not least <= value <= MAX_INTEGER:
        raise CallerError(f"an entry of the log has numbers from {least} to 2^53 - 1")


def _check_digest(value: bytes) -> None:
    if len(value) != DIGEST_SIZE:
        raise CallerError("an entry of the log has digests of 32 octets")
