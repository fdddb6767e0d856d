"""NCMEC entries: one image, video or deletion with its fields, turned into records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tpsi_server.lists.digests import Place
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.records import MAX_ENTRY, Reason, Record

#: Characters of one value; the video fingerprints that come inline are longer, but those are ignored anyway.
MAX_VALUE = 4096
#: Hashes of one entry; the services in use know nine kinds.
MAX_HASHES = 64


@dataclass(slots=True)
class Entry:
    """What has been read of one entry; `name` is its element, `number` its ordinal in the file."""

    name: str
    line: int
    number: int
    member: str = ""
    identifier: str = ""
    timestamp: str = ""
    hashes: list[tuple[str, str]] = field(default_factory=list)
    surplus: int = 0

    @property
    def deleted(self) -> bool:
        """Whether this is the tombstone of an entry."""
        return self.name.startswith("deleted")

    @property
    def key(self) -> str | None:
        """The identifier that is unique at the provider: `member/id`, or None if there is no id."""
        if not self.identifier:
            return None
        return f"{self.member}/{self.identifier}" if self.member else self.identifier

    @property
    def time(self) -> datetime | None:
        """When the provider last changed the entry, if it says so intelligibly."""
        try:
            time = datetime.fromisoformat(self.timestamp)
        except ValueError:
            return None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def add_hash(self, name: str, text: str) -> None:
        """Take in one fingerprint; beyond MAX_HASHES they are only counted."""
        if len(self.hashes) < MAX_HASHES:
            self.hashes.append((name, text))
        else:
            self.surplus += 1


class Entries:
    """Turns the entries of one file into records, in order, so that a withdrawn entry stays withdrawn."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._withdrawn: dict[str, datetime | None] = {}

    def records(self, entry: Entry) -> Iterator[Record]:
        """The records of one entry, at least one."""
        place = Place(entry.line, entry.number, entry=entry.key)
        if entry.key is not None and len(entry.key) > MAX_ENTRY:
            yield place.refuse(Reason.BAD_ENTRY, f"the entry's identifier has more than {MAX_ENTRY} characters")
            return
        found = list(self._hashes(entry, place))
        if entry.deleted:
            self._withdraw(entry)
            yield from place.withdraw(found)
        elif entry.key in self._withdrawn and not _newer(entry.time, self._withdrawn[entry.key]):
            yield place.ignore("withdrawn")
        else:
            yield from found or [place.refuse(Reason.NO_HASH, "the entry has no hash")]

    def _hashes(self, entry: Entry, place: Place) -> Iterator[Record]:
        for name, text in entry.hashes:
            kind = self._kinds.of_type(name)
            if kind.supported and len(text) > MAX_VALUE:
                yield place.refuse(Reason.TOO_LONG, f"the {kind.label} has more than {MAX_VALUE} characters")
            elif text or not kind.supported:
                yield place.judge(kind, text, self._kinds)
        if entry.surplus:
            detail = f"{entry.surplus} hashes of the entry are beyond the {MAX_HASHES} that one may have"
            yield place.refuse(Reason.TOO_LONG, detail)

    def _withdraw(self, entry: Entry) -> None:
        """Remember the newest deletion of the entry; one without a time is newer than everything."""
        if entry.key is None:
            return
        known = self._withdrawn.get(entry.key, entry.time)
        if known is None or entry.time is None:
            self._withdrawn[entry.key] = None
        else:
            self._withdrawn[entry.key] = max(known, entry.time)


def _newer(time: datetime | None, other: datetime | None) -> bool:
    return time is not None and other is not None and time > other
