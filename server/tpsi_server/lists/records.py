"""Records: what a reader finds in a hash list, one frozen value for each thing that it read.

Every entry of a list gives at least one record, so a report fed with all of them leaves nothing out.
"""

from dataclasses import dataclass
from enum import StrEnum

from tpsi.errors import CallerError
from tpsi.items import ItemHash

#: Characters of a provider's identifier of an entry; those known are numbers, UUIDs and short names.
MAX_ENTRY = 256


class ListFormat(StrEnum):
    """The forms of hash list that can be read."""

    HEX = "hex"
    CSV = "csv"
    THREATEXCHANGE = "threatexchange"
    NCMEC = "ncmec"
    VIC = "vic"


class Unit(StrEnum):
    """What the number of a place counts: lines of text or, where the parser knows none, entries."""

    LINE = "line"
    ENTRY = "entry"


class Reason(StrEnum):
    """Why something was refused; the values are stable and go into reports and metrics."""

    NOT_HEXADECIMAL = "not_hexadecimal"
    ODD_LENGTH = "odd_length"
    WRONG_LENGTH = "wrong_length"
    AMBIGUOUS_TYPE = "ambiguous_type"
    DEGENERATE = "degenerate"
    NO_HASH = "no_hash"
    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    WRONG_COLUMNS = "wrong_columns"
    BAD_QUOTES = "bad_quotes"
    BAD_ENTRY = "bad_entry"


@dataclass(frozen=True, slots=True)
class Addition:
    """The list names `item`.

    `line` is the 1-based place in the file, in the reader's unit. `entry` is the provider's identifier
    of the entry, where the format has one; `number` is the entry's 1-based ordinal in the file, the same
    for all records of one entry (0 if unknown).
    """

    item: ItemHash
    line: int
    entry: str | None = None
    number: int = 0

    def __post_init__(self) -> None:
        _check_line(self.line)


@dataclass(frozen=True, slots=True)
class Deletion:
    """The provider withdraws something. Only `entry`: all items named under that identifier. Only `item`:
    that item, whatever it was named under. Both: that item under that identifier, or under none.

    Raises CallerError if neither is given.
    """

    line: int
    item: ItemHash | None = None
    entry: str | None = None
    number: int = 0

    def __post_init__(self) -> None:
        _check_line(self.line)
        if self.item is None and self.entry is None:
            raise CallerError("a deletion names an item, a provider's entry, or both")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Well-formed content that is not taken: `kind` is the kind of hash, or why an entry is passed over."""

    kind: str
    line: int
    number: int = 0

    def __post_init__(self) -> None:
        _check_line(self.line)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Content that should have been a hash and is not one that can be used; `detail` is printable text."""

    line: int
    reason: Reason
    detail: str
    number: int = 0
    unit: Unit = Unit.LINE

    def __post_init__(self) -> None:
        _check_line(self.line)

    def __str__(self) -> str:
        return f"{self.unit} {self.line}: {self.detail}"


Record = Addition | Deletion | Ignored | Refusal


def _check_line(line: int) -> None:
    if line < 1:
        raise CallerError(f"lines and entries are counted from 1, this record says {line}")
