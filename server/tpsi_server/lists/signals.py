"""Signal lists: lines of a signal type and a hash, as the ThreatExchange tools write and read them.

`pdq f8f8…`, `video_md5,d41d…`, `HASH_SHA256 e3b0…`: separated by blanks, tabs, commas or semicolons;
what follows the hash (quality, tags) is not read. A line with a hash only is taken as in a plain list.
"""

import re
from collections.abc import Iterator

from tpsi_server.lists.digests import Place, excerpt, is_hex, unquote
from tpsi_server.lists.hexlines import read_lines
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.records import Reason, Record
from tpsi_server.lists.source import ListSource

_SEPARATOR = re.compile(r"[\s,;]+")


def read_signals(source: ListSource, kinds: Kinds) -> Iterator[Record]:
    """The records of a signal list, one for each line that is not blank and not a comment."""
    return read_lines(source, lambda text, place: _signal_line(text, place, kinds))


def _signal_line(text: str, place: Place, kinds: Kinds) -> Record:
    words = [unquote(word) for word in _SEPARATOR.split(text.strip(), maxsplit=2)]
    if len(words) == 1 or not words[1]:
        label, colon, digits = words[0].rpartition(":")
        return place.judge(kinds.of_type(label) if colon else None, digits, kinds)
    kind = kinds.named(words[0])
    if kind is None and (is_hex(words[0]) or not is_hex(words[1])):
        return place.refuse(Reason.BAD_ENTRY, f"{excerpt(text)} does not begin with a signal type")
    return place.judge(kind or kinds.of_type(words[0]), words[1], kinds)
