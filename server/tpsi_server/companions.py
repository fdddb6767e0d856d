"""Companions: a second hash of listed pictures, with which what is revealed is compared before anybody sees it.

The server does not know *which* listed hash a voucher matched, so the small picture in it is compared with all
companions. If none is near although every hash of the list has one, the picture only collides with a listed hash.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tpsi import ItemHash
from tpsi.errors import CallerError
from tpsi.items import is_label
from tpsi.pictures import RADII
from tpsi_server.errors import OperatorError
from tpsi_server.lists.digests import Place
from tpsi_server.lists.records import Refusal

#: Characters of a companion's name that are kept.
MAX_NAME = 256
_BLOCK = 1 << 16  # companions compared at a time, for the processor's cache


class Check(StrEnum):
    """What the second hash says of something that was revealed.

    CONFIRMED: near a companion. HELD_BACK: near none, though all of the list has companions; or a picture that cannot
    be read. UNKNOWN: there is nothing to compare, or some listed hash has no companion.
    """

    CONFIRMED = "confirmed"
    HELD_BACK = "held back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Companion:
    """A listed hash, the second hash of its picture if that has one, and a name for people."""

    item: ItemHash
    companion: ItemHash | None
    name: str = ""


def read_companions(path: Path, default_type: str | None = None) -> Iterator[Companion]:
    """The rows of a CSV file with the columns `hash`, `companion` and, if there is one, `name`.

    Hashes are written `type:hex`; a companion may be missing. Of the listed one the type may be in a column `type`, or
    be `default_type`, or the name of its column. Raises OperatorError, with the line, for the first row that is
    anything else.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            columns = [name.strip() for name in reader.fieldnames or ()]
        except (csv.Error, UnicodeDecodeError) as error:
            raise OperatorError(f"{path}, line 1: {error}") from None
        reader.fieldnames = columns
        typed = [name for name in columns if name not in {"hash", "companion", "name", "type"} and is_label(name)]
        if "companion" not in columns or ("hash" not in columns and len(typed) != 1):
            raise OperatorError(f"{path} has no header line that names the columns hash and companion")
        try:
            for row in reader:
                kind = row.get("type") or default_type
                text = row["hash"] if "hash" in columns else f"{typed[0]}:{row[typed[0]]}"
                yield _companion(text or "", kind, row, f"{path}, line {reader.line_num}")
        except (csv.Error, UnicodeDecodeError) as error:
            raise OperatorError(f"{path}, line {reader.line_num}: {error}") from None


def _companion(text: str, kind: str | None, row: Mapping[str, str | None], where: str) -> Companion:
    second = (row.get("companion") or "").strip()
    try:
        item = ItemHash.parse(text if ":" in text or not kind else f"{kind}:{text}")
        companion = ItemHash.parse(second) if second else None
    except (CallerError, ValueError) as error:
        raise OperatorError(f"{where}: {error}") from None
    judged = Place(1, 1).admit(item.type, item.digest)
    if isinstance(judged, Refusal):
        raise OperatorError(f"{where}: {judged.detail}")
    if companion and companion.type not in RADII:
        known = " or ".join(RADII)
        raise OperatorError(f"{where}: a companion is of the type {known}, not {companion.type}")
    if companion and companion.type == item.type:
        raise OperatorError(f"{where}: a companion is of another type than the hash that it goes with")
    name = "".join(c if c.isprintable() else " " for c in row.get("name") or "")
    return Companion(item, companion, name[:MAX_NAME])


class Companions:
    """All companions of a list, ready to be compared with. `complete`: every hash of the list has one.

    `state` counts the changes of list and companions up to these.
    """

    def __init__(
        self, by_type: Mapping[str, Iterable[bytes]], *, complete: bool, radii: Mapping[str, int], state: int = 0
    ) -> None:
        self.state = state
        self._words = {label: _words(digests) for label, digests in by_type.items()}
        self._complete = complete
        self._radii = {**RADII, **radii}

    @property
    def types(self) -> tuple[str, ...]:
        """The types of second hash that there are."""
        return tuple(sorted(self._words))

    def nearest(self, second: ItemHash) -> int | None:
        """The least number of bits in which a hash differs from a companion of its type; None if there is none."""
        words = self._words.get(second.type)
        if words is None or not len(words):
            return None
        mine = _words([second.digest])[0]
        blocks = range(0, len(words), _BLOCK)
        return min(int(np.bitwise_count(words[at : at + _BLOCK] ^ mine).sum(axis=1).min()) for at in blocks)

    def judge(self, seconds: Iterable[ItemHash] | None) -> tuple[Check, int | None]:
        """What the second hashes of a revealed picture say, and the distance from the nearest companion.

        None: the picture cannot be read, or shows too little.
        """
        if seconds is None:
            return Check.HELD_BACK, None
        found = [(near, self._radii[one.type]) for one in seconds if (near := self.nearest(one)) is not None]
        if not found:
            return Check.UNKNOWN, None
        near, radius = min(found, key=lambda pair: pair[0] - pair[1])
        if near <= radius:
            return Check.CONFIRMED, near
        return (Check.HELD_BACK if self._complete else Check.UNKNOWN), near


def _words(digests: Iterable[bytes]) -> NDArray[np.uint64]:
    """Digests of one length as rows of 64-bit words, shape (n, words)."""
    rows = list(digests)
    width = -(-len(rows[0]) // 8) * 8 if rows else 8
    joined = b"".join(row.ljust(width, b"\0") for row in rows)
    return np.frombuffer(joined, np.uint64).reshape(-1, width // 8)


#: Something that gives the companions as they are now.
Source = Callable[[], Companions | None]
