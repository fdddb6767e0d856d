"""The entry point: opens a list of any format and gives its records one after the other."""

import os
from collections.abc import Iterator
from typing import Self

from tpsi.errors import CallerError
from tpsi_server.lists.columns import read_csv
from tpsi_server.lists.detect import detect
from tpsi_server.lists.hexlines import read_hex
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.ncmec import read_ncmec
from tpsi_server.lists.records import ListFormat, Record, Unit
from tpsi_server.lists.signals import read_signals
from tpsi_server.lists.source import ListSource
from tpsi_server.lists.vic import Categories, read_vic

AUTO = "auto"


class ListReader:
    """An open list: iterate over it once, in a `with` block, for its records.

    `format` is its format, `unit` what the `line` of its records counts, `size` the file's size in bytes
    (None for a pipe) and `position` how many of them were read. `notes` are sentences about the file as
    a whole, complete after the last record. Iterating may raise ListFileError after records were given:
    apply the records of one file in one transaction.
    """

    def __init__(self, source: ListSource, form: ListFormat, records: Iterator[Record], notes: list[str]) -> None:
        self.format = form
        self.unit = Unit.ENTRY if form is ListFormat.VIC else Unit.LINE
        self.notes = notes
        self._source = source
        self._records = records

    @property
    def size(self) -> int | None:
        """The file's size in bytes, None if it has none (a pipe)."""
        return self._source.size

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self._source.position

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_list(
    path: str | os.PathLike[str],
    *,
    format: str = AUTO,  # noqa: A002 (the name that users know it by)
    default_type: str | None = None,
    categories: Categories | None = None,
) -> ListReader:
    """Open the hash list at `path`.

    `format` is one of ListFormat, or "auto" to tell it from the content. `default_type` is the type of
    digests for which the list names none (and makes that label known, should the project not have it);
    without it the length decides where it can. `categories` are the ones to take from a Project VIC list:
    numbers, or "all"; see `tpsi_server.lists.vic` for the default.

    Raises ListFileError if the file cannot be read or its format not be told, CallerError for an
    unknown format or type, and for categories with a format that has none.
    """
    if format != AUTO and format not in list(ListFormat):
        raise CallerError(f"unknown list format {format!r}; the formats are {AUTO}, {', '.join(ListFormat)}")
    kinds = Kinds(default_type)
    source = ListSource(path)
    try:
        form = detect(source, kinds) if format == AUTO else ListFormat(format)
        if categories is not None and form is not ListFormat.VIC:
            raise CallerError(f"categories can be chosen for {ListFormat.VIC} lists only, this one is {form}")
    except BaseException:
        source.close()
        raise
    notes: list[str] = []
    return ListReader(source, form, _records(source, form, kinds, categories, notes), notes)


def _records(
    source: ListSource, form: ListFormat, kinds: Kinds, categories: Categories | None, notes: list[str]
) -> Iterator[Record]:
    match form:
        case ListFormat.HEX:
            return read_hex(source, kinds)
        case ListFormat.CSV:
            return read_csv(source, kinds)
        case ListFormat.THREATEXCHANGE:
            return read_signals(source, kinds)
        case ListFormat.NCMEC:
            return read_ncmec(source, kinds, notes)
        case ListFormat.VIC:
            return read_vic(source, kinds, categories)
