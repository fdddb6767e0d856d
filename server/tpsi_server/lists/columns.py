"""CSV lists: columns found by the names in the header, so that their order and company do not matter.

A row may carry several hashes (`md5,sha1,pdq`), or a type and a hash (`type,hash`), or both, and the
provider's identifier in a column `entry` or `entry_id`. A column `category` in which a signal exchange
records opinions keeps rows out that say the item is harmless or not yet judged.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from tpsi_server.lists.digests import SHORTEST, Place, is_hex
from tpsi_server.lists.hexlines import spoiled
from tpsi_server.lists.kinds import Kind, Kinds
from tpsi_server.lists.records import MAX_ENTRY, Reason, Record, Refusal
from tpsi_server.lists.source import Line, ListFileError, ListSource

DELIMITERS = ",;\t"
#: Lines that one row may span through quoted line ends: a stray quote then costs its own row only.
MAX_ROW_LINES = 32


_TYPE_NAMES = {
    "type",
    "kind",
    "hashtype",
    "signaltype",
    "indicatortype",
    "algorithm",
    "hashalgorithm",
    "hashname",
}
#: Columns that hold a hash whose type stands elsewhere, or nowhere.
_HASH_NAMES = {"hash", "hashvalue", "digest", "checksum", "fingerprint", "filehash", "imagehash", "mediahash"}
#: The same if there is a column for the type, or no other hash; else they are something different.
_VALUE_NAMES = {"value", "signal", "signalstr", "signalvalue", "indicator", "indicatorvalue"}
_ENTRY_NAMES = {"entry", "entryid"}
#: Opinions of a signal exchange that do not call the item harmful.
_OTHER_OPINIONS = {
    *("negative_class", "false_positive", "non_malicious"),
    *("investigation_seed", "worth_investigating", "disputed", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What the columns of a CSV list hold, by position."""

    width: int
    hashes: tuple[tuple[int, Kind], ...]
    types: tuple[int, ...]
    values: tuple[int, ...]
    entries: tuple[int, ...]
    opinions: tuple[int, ...]
    is_data: bool

    @classmethod
    def of(cls, line: str, delimiter: str, kinds: Kinds) -> Self:
        """Read a header line."""
        names = [name.strip() for name in _split(line, delimiter)]
        plain = [re.sub(r"[^a-z0-9]+", "", name.casefold()) for name in names]

        def at(wanted: set[str]) -> tuple[int, ...]:
            return tuple(index for index, name in enumerate(plain) if name in wanted)

        special = _TYPE_NAMES | _HASH_NAMES | _VALUE_NAMES | _ENTRY_NAMES
        hashes = [
            (index, kind)
            for index, name in enumerate(names)
            if plain[index] not in special and (kind := kinds.of_column(name)) is not None
        ]
        types, values = at(_TYPE_NAMES), at(_HASH_NAMES)
        if types or not (values or hashes):
            values += at(_VALUE_NAMES)
        return cls(
            width=len(names),
            hashes=tuple(hashes),
            types=types,
            values=values,
            entries=at(_ENTRY_NAMES),
            opinions=at({"category", "status"}) if types else (),
            is_data=any(len(name) >= SHORTEST and is_hex(name) for name in names),
        )

    @property
    def holds_hashes(self) -> bool:
        """Whether this is a header, and some column holds hashes that can be used."""
        return not self.is_data and (any(kind.supported for _, kind in self.hashes) or len(self.values) == 1)

    @property
    def named(self) -> int:
        """How many columns have a name that means something."""
        return len(self.hashes) + len(self.types) + len(self.values) + len(self.entries)


def delimiter_of(line: str, kinds: Kinds) -> str:
    """The delimiter that makes most sense of a header line: comma, semicolon or tab."""

    def sense(delimiter: str) -> tuple[int, int]:
        header = Header.of(line, delimiter, kinds)
        return header.named, header.width

    return max(DELIMITERS, key=sense)


def read_csv(source: ListSource, kinds: Kinds) -> Iterator[Record]:
    """The records of a CSV list. Raises ListFileError if the header names no column of hashes."""
    rows = _Rows(source.lines())
    first = rows.next_line()
    while first is not None and first.text is not None and (not first.text.strip() or first.text.startswith("#")):
        first = rows.next_line()
    text = "" if first is None else first.text or ""
    rows.delimiter = delimiter_of(text, kinds)
    header = Header.of(text, rows.delimiter, kinds)
    _check_header(source, header)
    for place, row in rows:
        if isinstance(row, Refusal):
            yield row
        else:
            yield from _row_records(row, header, place, kinds)


def _check_header(source: ListSource, header: Header) -> None:
    if len(header.values) > 1 or len(header.types) > 1:
        raise source.error("has several columns of one name for a hash or its type: leave one of each")
    if not header.holds_hashes:
        raise _no_hashes(source)


def _no_hashes(source: ListSource) -> ListFileError:
    names = "md5, sha1, sha256, sha512, pdq, phash, or type and hash"
    return source.error(f"has no header line that names a column of hashes ({names})")


class _Rows:
    """Rows from lines: a row takes further lines while a quote is open, and gives them back if it fails."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.delimiter = ","
        self._lines = lines
        self._returned: deque[Line] = deque()

    def next_line(self) -> Line | None:
        return self._returned.popleft() if self._returned else next(self._lines, None)

    def __iter__(self) -> Iterator[tuple[Place, Sequence[str] | Refusal]]:
        number = 0
        while (line := self.next_line()) is not None:
            if line.text is not None and not line.text.strip():
                continue
            number += 1
            place = Place(line.number, number)
            yield place, spoiled(line, place) or self._row(line, place)

    def _row(self, first: Line, place: Place) -> Sequence[str] | Refusal:
        text = first.text or ""
        if '"' not in text:
            return text.split(self.delimiter)
        taken: list[Line] = []

        def feed() -> Iterator[str]:
            yield text + "\n"
            while len(taken) < MAX_ROW_LINES and (line := self.next_line()) is not None:
                taken.append(line)
                if line.text is None:
                    return
                yield line.text + "\n"

        try:
            return next(csv.reader(feed(), delimiter=self.delimiter, strict=True, skipinitialspace=True))
        except csv.Error:
            self._returned.extendleft(reversed(taken))
            return place.refuse(Reason.BAD_QUOTES, "the quotes of this row do not close as CSV wants them")


def _row_records(row: Sequence[str], header: Header, place: Place, kinds: Kinds) -> Iterator[Record]:
    if any(field.strip() for field in row[header.width :]):
        detail = f"the row has {len(row)} fields, the header {header.width}: hashes may be in the wrong column"
        yield place.refuse(Reason.WRONG_COLUMNS, detail)
        return
    opinion = next((row[i].strip().lower() for i in header.opinions if i < len(row)), "")
    if opinion in _OTHER_OPINIONS:
        yield place.ignore(f"opinion {opinion}")
        return
    entry = _cell(row, header.entries)
    if len(entry) > MAX_ENTRY:
        yield place.refuse(Reason.BAD_ENTRY, f"the entry's identifier has more than {MAX_ENTRY} characters")
        return
    place = Place(place.line, place.number, place.unit, entry or None)
    cells = [(kind, row[index]) for index, kind in header.hashes if index < len(row) and row[index].strip()]
    value, label = _cell(row, header.values), _cell(row, header.types)
    if value:
        kind = kinds.of_type(label) if label else None
        yield place.judge(kind, value, kinds)
    for kind, text in cells:
        yield place.judge(kind, text, kinds)
    if not value and not cells:
        yield place.refuse(Reason.NO_HASH, "the row has no hash")


def _cell(row: Sequence[str], columns: tuple[int, ...]) -> str:
    return row[columns[0]].strip() if columns and columns[0] < len(row) else ""


def _split(line: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return line.split(delimiter)
