"""Project VIC lists: JSON in the VICS data model, the exchange format of forensic tools.

    {"@odata.context": ..., "value": [media, ...]}                       a hash set
    {"@odata.context": ..., "value": [{"CaseID": ..., "Media": [media, ...]}, ...]}     a case export

A media object carries `MediaID`, `Category`, the hashes `MD5` and `SHA1` (hexadecimal, or base64 as
OData writes binary values), and others as fields or in `AlternativeHashes` (`HashName`, `HashValue`).
`MediaID` becomes a record's `entry`. An object with OData's `@removed` is a deletion.

Categories are numbers whose meaning is national. 1 is child abuse material in every scheme in use, 0
is what is not pertinent or not yet judged, and the others differ; so by default only category 1 is
taken. JSON parsers give no line numbers: the place of a record is the ordinal of its entry.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Literal

import ijson

from tpsi_server.lists.digests import Place
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.records import MAX_ENTRY, Reason, Record, Unit
from tpsi_server.lists.source import ListSource
from tpsi_server.lists.vic_media import MAX_HASHES, Media, MediaParser, Scalar

#: The categories that are taken unless the caller says otherwise.
DEFAULT_CATEGORIES = frozenset({1})
#: Bytes between two JSON tokens, so that a string without end is not buffered whole.
MAX_TOKEN = 1 << 20

#: Categories are small numbers; a larger one is no category.
_MAX_CATEGORY = 999
_NO_CATEGORY = -1

Categories = Collection[int] | Literal["all"]

#: What ijson's backends raise besides their own error: the complaints about numbers that Python cannot hold.
_PARSE_ERRORS = (ijson.JSONError, ValueError, ArithmeticError, SystemError)


def read_vic(source: ListSource, kinds: Kinds, categories: Categories | None) -> Iterator[Record]:
    """The records of a Project VIC list.

    `categories` None means DEFAULT_CATEGORIES; "all" takes every entry, also those without a category.
    Raises ListFileError, possibly after some records, if the file is no such JSON or is cut off.
    """
    wanted = DEFAULT_CATEGORIES if categories is None else categories
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    media = MediaParser(source, kinds)
    number, reached = 0, 0
    try:
        for chunk in source.utf8_chunks():
            _feed(source, parser, chunk)
            reached = source.position if events else reached
            if source.position - reached > MAX_TOKEN:
                raise source.error(f"has a JSON value longer than {MAX_TOKEN} bytes: no hash list")
            for event, value in events:
                entry = media.event(event, value)
                if entry is not None:
                    number += 1
                    yield from _records(entry, number, kinds, wanted)
            del events[:]
        _feed(source, parser, None)
    finally:
        # a parser that is given up in the middle complains once more when it is closed
        with suppress(*_PARSE_ERRORS):
            parser.close()
    media.check_found()


def _feed(source: ListSource, parser: Any, chunk: bytes | None) -> None:
    """Give the parser a chunk, or the end of the file if `chunk` is None."""
    try:
        if chunk is None:
            parser.close()
        else:
            parser.send(chunk)
    except _PARSE_ERRORS as error:
        problem = next(iter(str(error).splitlines()), "") if isinstance(error, ijson.JSONError) else "bad number"
        raise source.error(f"is not well-formed JSON, or was cut off: {problem[:80].strip()}") from None


def _records(media: Media, number: int, kinds: Kinds, wanted: Categories) -> Iterator[Record]:
    place = Place(number, number, Unit.ENTRY)
    identifier, category = _text_of(media.identifier), _category_of(media.category)
    if not media.is_object:
        yield place.refuse(Reason.BAD_ENTRY, "the entry is not an object")
    elif identifier is None:
        yield place.refuse(Reason.BAD_ENTRY, f"MediaID is not a text of up to {MAX_ENTRY} characters, or a number")
    elif category is None:
        yield place.refuse(Reason.BAD_ENTRY, "Category is not a whole number")
    else:
        place = Place(number, number, Unit.ENTRY, identifier or None)
        yield from _judged(media, place, kinds, category, wanted)


def _judged(media: Media, place: Place, kinds: Kinds, category: int, wanted: Categories) -> Iterator[Record]:
    if media.removed:
        yield from place.withdraw(list(_hashes(media, place, kinds)))
    elif wanted != "all" and category not in wanted:
        yield place.ignore("category none" if category == _NO_CATEGORY else f"category {category}")
    else:
        yield from list(_hashes(media, place, kinds)) or [place.refuse(Reason.NO_HASH, "the entry has no hash")]


def _hashes(media: Media, place: Place, kinds: Kinds) -> Iterator[Record]:
    for kind, value in media.hashes:
        if value is None or value == "":
            continue
        if not kind.supported:
            yield place.ignore(kind.label)
        elif isinstance(value, str):
            yield place.judge(kind, value, kinds, base64_too=True)
        else:
            yield place.refuse(Reason.BAD_ENTRY, f"the {kind.label} is not a text")
    if media.malformed:
        yield place.refuse(Reason.BAD_ENTRY, f"{media.malformed} alternative hashes have no name and value")
    if media.surplus:
        detail = f"{media.surplus} hashes of the entry are beyond the {MAX_HASHES} that one may have"
        yield place.refuse(Reason.TOO_LONG, detail)


def _category_of(value: Scalar) -> int | None:
    """The category as a number, _NO_CATEGORY if there is none, None if it is nonsense."""
    if value is None or value == "":
        return _NO_CATEGORY
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= MAX_ENTRY:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= _MAX_CATEGORY:
        return None
    return int(value) if value == int(value) else None


def _text_of(value: Scalar) -> str | None:
    """An identifier as text, "" if there is none, None if it is nonsense."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if len(text) <= MAX_ENTRY else None
