"""Detection: which format a list has, told from its first lines and never from its name."""

import re
from collections.abc import Sequence

from tpsi_server.lists.columns import Header, delimiter_of
from tpsi_server.lists.digests import SHORTEST, is_hex, unquote
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.records import ListFormat
from tpsi_server.lists.source import ListSource

#: Lines that are looked at; the first of a list are like the rest.
_LINES = 50

_SEPARATOR = re.compile(r"[\s,;]+")


def detect(source: ListSource, kinds: Kinds) -> ListFormat:
    """The format of `source`. Raises ListFileError if its beginning fits none, or several equally well."""
    start = source.sample.lstrip()
    if start.startswith("<"):
        if re.match(r"<(!doctype\s+)?html\b", start, re.IGNORECASE):
            raise source.error("is a web page, perhaps a login form: download the list itself")
        return ListFormat.NCMEC
    if start.startswith(("{", "[")):
        return ListFormat.VIC
    lines = _significant(source)
    if lines and Header.of(lines[0], delimiter_of(lines[0], kinds), kinds).holds_hashes:
        return ListFormat.CSV
    digests = sum(_is_digest_line(line, kinds) for line in lines)
    signals = sum(_is_signal_line(line, kinds) for line in lines)
    if digests == signals:
        formats = ", ".join(ListFormat)
        raise source.error(f"has no recognisable format: name it ({formats}), and give a CSV list a header line")
    return ListFormat.HEX if digests > signals else ListFormat.THREATEXCHANGE


def _significant(source: ListSource) -> Sequence[str]:
    lines = source.sample.splitlines()
    if not source.whole and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")][:_LINES]


def _is_digest_line(line: str, kinds: Kinds) -> bool:
    first = line.split(maxsplit=1)[0] if line.split() else ""
    label, colon, digits = unquote(first).rpartition(":")
    if colon and kinds.named(label) is None:
        return False
    return len(digits) >= SHORTEST and is_hex(digits)


def _is_signal_line(line: str, kinds: Kinds) -> bool:
    words = _SEPARATOR.split(line.strip(), maxsplit=2)
    return len(words) > 1 and kinds.named(unquote(words[0])) is not None
