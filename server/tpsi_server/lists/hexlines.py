"""Plain lists: one digest a line, bare or as `type:hex`, with `#` comments and blank lines.

A line may end in a `#` comment, and the lines that checksum tools write (digest, two blanks or blank
and asterisk, file name) are read for their digest.
"""

import re
from collections.abc import Callable, Iterator

from tpsi_server.lists.digests import Place, excerpt, is_hex, unquote
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.records import Reason, Record, Refusal
from tpsi_server.lists.source import MAX_LINE, Line, ListSource

_CHECKSUM_NAME = re.compile(r"( [ *])(.+)\Z")


def read_hex(source: ListSource, kinds: Kinds) -> Iterator[Record]:
    """The records of a plain list, one for each line that is not blank and not a comment."""
    return read_lines(source, lambda text, place: _digest_line(text, place, kinds))


def read_lines(source: ListSource, read: Callable[[str, Place], Record]) -> Iterator[Record]:
    """What `read` makes of each line that is not blank and not a comment, or the refusal of one that is spoiled."""
    number = 0
    for line in source.lines():
        if _is_blank(line):
            continue
        number += 1
        place = Place(line.number, number)
        yield spoiled(line, place) or read(line.text or "", place)


def _is_blank(line: Line) -> bool:
    """Whether a line holds nothing, or only a comment."""
    return line.text is not None and (not line.text.strip() or line.text.lstrip().startswith("#"))


def spoiled(line: Line, place: Place) -> Refusal | None:
    """The refusal of a line that is too long or has zero bytes in it; None if it is a line of text."""
    if line.text is None:
        return place.refuse(Reason.TOO_LONG, f"the line is longer than {MAX_LINE} characters")
    if "\0" in line.text:
        return place.refuse(Reason.NOT_TEXT, "the line has zero bytes in it: the file is damaged, or not a text file")
    return None


def _digest_line(text: str, place: Place, kinds: Kinds) -> Record:
    text = text.strip()
    if text[0] in "\"'":
        text = unquote(text)
    word = text.split(maxsplit=1)[0] if text else ""
    rest = text[len(word) :]
    if rest and not rest.lstrip().startswith("#") and not _is_file_name(rest):
        detail = f"{excerpt(text)} is more than one value: a plain list has one digest a line"
        return place.refuse(Reason.WRONG_COLUMNS, detail)
    label, colon, digits = word.rpartition(":")
    return place.judge(kinds.of_type(label) if colon else None, digits, kinds)


def _is_file_name(rest: str) -> bool:
    match = _CHECKSUM_NAME.match(rest)
    return match is not None and not is_hex(match[2].strip())
