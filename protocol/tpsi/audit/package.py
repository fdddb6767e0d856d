"""What lies in the package that a server makes for an auditor, and the text form of its lists (specification, 16.6)."""

from collections.abc import Iterable, Iterator

from tpsi.errors import DecodeError
from tpsi.items import ItemHash

#: The signed manifest; the table file; the encoded table proof; the list in text form; the lists of the sources in
#: text form, numbered from 1 as the manifest names them, with the source's signature beside those that have one; and
#: hashes that the rule admits, and that were left out of the table by screening.
MANIFEST, TABLE, PROOF, LIST, SOURCES = "manifest.json", "table.bin", "proof.bin", "list.txt", "sources"
LEFT_OUT = "left_out.txt"
#: The longest line: a label of 32 characters and a digest of 64 octets.
MAX_LINE = 32 + 1 + 2 * 64


def source_list(number: int) -> str:
    """Where the list of a source lies in the package."""
    return f"{SOURCES}/{number}.txt"


def source_signature(number: int) -> str:
    """Where its signature lies."""
    return f"{SOURCES}/{number}.signature"


def to_lines(items: Iterable[bytes]) -> Iterator[bytes]:
    """Encoded item hashes as lines of text, `type:hex`, each with its end."""
    for item in items:
        yield f"{ItemHash.decode(item)}\n".encode("ascii")


def from_lines(lines: Iterable[bytes], name: str) -> Iterator[ItemHash]:
    """The item hashes of lines of text; empty lines, and those that begin with #, say nothing.

    DecodeError naming the line of `name` that is anything else.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        try:
            yield ItemHash.parse(text.decode("ascii"))
        except (DecodeError, UnicodeDecodeError):
            raise DecodeError(f"line {number} of {name} is not a hash as type:hex, in lower case") from None
