"""NCMEC lists: the XML in which NCMEC's hash sharing API answers a query for entries.

    queryResult
      images | videos
        image | video                    member@id, id, timestamp, fingerprints/{md5, sha1, pdq, pdna, ...}
        deletedImage | deletedVideo      member@id, id, timestamp
      paging/next                        present if the answer goes on in a further file

An entry is known to the provider by its member and its id together: a record's `entry` is `member/id`.
The service does not order entries by time, so a deletion may stand before an addition that is older;
such an addition is passed over (`Ignored`, kind `withdrawn`), and records can be applied in their order.
"""

from collections.abc import Iterator
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from tpsi_server.lists.digests import excerpt
from tpsi_server.lists.kinds import Kinds
from tpsi_server.lists.ncmec_entries import MAX_VALUE, Entries, Entry
from tpsi_server.lists.records import Record
from tpsi_server.lists.source import ListSource

#: Elements within each other; the schema has eight.
MAX_DEPTH = 64
#: Bytes between two pieces of content, so that a tag or attribute without end is not buffered whole.
MAX_TOKEN = 1 << 20

_GROUP, _ENTRY, _FIELD, _FINGERPRINT = 2, 3, 4, 5
_NEXT_PAGE = "names a next page (paging/next): it is not the whole answer, import the other pages too"


def read_ncmec(source: ListSource, kinds: Kinds, notes: list[str]) -> Iterator[Record]:
    """The records of an NCMEC list; what concerns the file as a whole is appended to `notes`.

    Raises ListFileError, possibly after some records, if the file is no such XML or is not well formed.
    """
    parser = make_parser()
    handler = _Handler(source, kinds, notes, parser)
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(handler)
    try:
        for chunk in source.chunks():
            parser.feed(chunk)
            if source.position - handler.reached > MAX_TOKEN:
                raise source.error(f"has a tag longer than {MAX_TOKEN} bytes after line {handler.line}: no hash list")
            yield from handler.take()
        parser.close()
    except DefusedXmlException:
        raise source.error("declares a DTD or entities: a hash list needs neither, and they are not safe") from None
    except SAXParseException as error:
        raise source.error(_malformed(error.getMessage(), error.getLineNumber() or 1)) from None
    except (SAXException, ValueError, LookupError) as error:
        raise source.error(f"cannot be read as XML: {error}") from None
    yield from handler.take()


def _malformed(problem: str, line: int) -> str:
    if "junk after" in problem:
        return f"goes on after the end of queryResult (line {line}): import each page as a file of its own"
    return f"is not well-formed XML, or was cut off: {problem}, at line {line}"


class _Handler(ContentHandler):
    """Collects records from XML events; it knows where it is by depth, since the schema is regular."""

    def __init__(self, source: ListSource, kinds: Kinds, notes: list[str], locator: Locator) -> None:
        super().__init__()
        self.reached = 0
        self._source = source
        self._notes = notes
        self._entries = Entries(kinds)
        self._records: list[Record] = []
        self._path: list[str] = []
        self._locator = locator
        self._entry: Entry | None = None
        self._text: list[str] = []
        self._length = 0
        self._count = 0

    @property
    def line(self) -> int:
        """The line that the parser is at."""
        return self._locator.getLineNumber() or 1

    def take(self) -> list[Record]:
        """The records collected since the last call."""
        records, self._records = self._records, []
        return records

    def startElementNS(  # noqa: N802 (SAX names it)
        self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl
    ) -> None:
        self.reached = self._source.position
        self._path.append(name[1])
        self._text, self._length = [], 0
        depth = len(self._path)
        if depth == 1 and name[1] != "queryResult":
            root = excerpt(name[1])
            raise self._source.error(f"is XML, but its root is {root}, not the queryResult of an NCMEC hash list")
        if depth > MAX_DEPTH:
            raise self._source.error(f"nests elements more than {MAX_DEPTH} deep at line {self.line}: no hash list")
        if depth == _ENTRY:
            self._open(name[1])
        elif depth == _FIELD and name[1] == "member" and self._entry is not None:
            values: dict[tuple[str | None, str], str] = dict(attrs.items())
            self._entry.member = values.get((None, "id"), "").strip()

    def characters(self, content: str) -> None:
        self.reached = self._source.position
        if self._length <= MAX_VALUE:
            self._length += len(content)
            self._text.append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802 (SAX names it)
        self.reached = self._source.position
        depth = len(self._path)
        self._path.pop()
        if self._entry is None:
            return
        text = "".join(self._text).strip()
        if depth == _ENTRY:
            self._records.extend(self._entries.records(self._entry))
            self._entry = None
        elif depth == _FIELD and name[1] == "id":
            self._entry.identifier = text
        elif depth == _FIELD and name[1] == "timestamp":
            self._entry.timestamp = text
        elif depth == _FINGERPRINT and self._path[-1] == "fingerprints":
            self._entry.add_hash(name[1], text)

    def _open(self, name: str) -> None:
        if self._path[_GROUP - 1] != "paging":
            self._count += 1
            self._entry = Entry(name, self.line, self._count)
        elif name == "next" and _NEXT_PAGE not in self._notes:
            self._notes.append(_NEXT_PAGE)
