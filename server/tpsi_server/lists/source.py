"""The source: one list file, opened, looked at, and handed out in bounded pieces of bytes or lines."""

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from tpsi.errors import TpsiError

#: Bytes read at a time, and looked at to tell the format.
CHUNK = 1 << 16
#: Characters of a line: an entry with every known hash and a long description stays far below, and a
#: file without line ends is never buffered whole.
MAX_LINE = 1 << 16
#: Control characters in the first chunk, at least this many and more than one in fifty: not a text file.
_FEW_CONTROLS = 8

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_OTHER_FILES = {
    b"\x1f\x8b": "is compressed with gzip: unpack it first (gunzip)",
    b"PK\x03\x04": "is a zip archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"BZh": "is compressed with bzip2: unpack it first (bunzip2)",
    b"\xfd7zXZ\x00": "is compressed with xz: unpack it first (unxz)",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: unpack it first (unzstd)",
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive: unpack it first",
    b"SQLite format 3\x00": "is an SQLite database: export the hashes as CSV",
    b"%PDF": "is a PDF document: ask the provider for the list as text",
}


class ListFileError(TpsiError):
    """A list file as a whole cannot be read; single bad lines are refusals, never this error."""

    code: ClassVar[str] = "UNREADABLE_LIST"


class Line(NamedTuple):
    """A line of text without its end; `text` is None if it was longer than MAX_LINE."""

    number: int
    text: str | None


class ListSource:
    """An open list file.

    `size` is its size in bytes (None for a pipe), `position` how far reading has come, `sample` the
    decoded first chunk and `whole` whether that is all there is. Raises ListFileError if the file
    cannot be opened or read, is empty, or is plainly no text.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = "".join(c if c.isprintable() else "?" for c in os.fspath(path))
        self.position = 0
        try:
            self._file = Path(path).open("rb")  # noqa: SIM115 (this object is the context manager)
        except IsADirectoryError:
            raise ListFileError(f"{self.name} is a directory: name a file in it") from None
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from None
        try:
            self._look()
        except BaseException:
            self._file.close()
            raise

    def _look(self) -> None:
        status = os.fstat(self._file.fileno())
        self.size: int | None = status.st_size if stat.S_ISREG(status.st_mode) else None
        self._first = self._read()
        self.whole = len(self._first) < CHUNK
        for magic, advice in _OTHER_FILES.items():
            if self._first.startswith(magic):
                raise self.error(advice)
        self._bom, self._encoding = _encoding_of(self._first)
        self.sample = self._first[self._bom :].decode(self._encoding, "replace")
        if not self.sample.strip():
            raise self.error("is empty")
        controls = len(_CONTROLS.findall(self.sample))
        if controls >= _FEW_CONTROLS and controls * 50 > len(self.sample):
            raise self.error("is not a text file: hash lists are text, CSV, XML or JSON, in UTF-8 or UTF-16")

    def error(self, problem: str) -> ListFileError:
        """The error that says what is wrong with this file."""
        return ListFileError(f"{self.name} {problem}")

    def _unreadable(self, error: Exception) -> ListFileError:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return self.error(f"cannot be read: {problem}")

    def _read(self) -> bytes:
        try:
            return self._file.read(CHUNK)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from None

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file in pieces of at most CHUNK, for parsers that decode themselves."""
        chunk = self._first
        while chunk:
            self.position += len(chunk)
            yield chunk
            chunk = self._read()

    def utf8_chunks(self) -> Iterator[bytes]:
        """The text in UTF-8 without a byte order mark, in non-empty pieces; only UTF-16 is checked."""
        if self._encoding == "utf-8":
            skip = self._bom
            for chunk in self.chunks():
                if len(chunk) > skip:
                    yield chunk[skip:]
                skip = 0
        else:
            for text in self._decoded("strict"):
                if text:
                    yield text.encode()

    def lines(self) -> Iterator[Line]:
        """The lines, numbered from 1, whatever ends them (LF, CRLF or CR).

        Bytes that are not UTF-8 come as lone surrogates, so that they spoil only the value they are in.
        """
        number, rest, skipping = 1, "", False
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        for text in self._decoded("surrogateescape" if self._encoding == "utf-8" else "strict"):
            pieces = (rest + newlines.decode(text)).split("\n")
            rest = pieces.pop()
            for piece in pieces:
                yield Line(number, None if skipping or len(piece) > MAX_LINE else piece)
                number, skipping = number + 1, False
            skipping = skipping or len(rest) > MAX_LINE
            rest = "" if skipping else rest
        rest += newlines.decode("", final=True).removesuffix("\n")
        if rest or skipping:
            yield Line(number, None if skipping else rest)

    def _decoded(self, errors: str) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self._encoding)(errors)
        skip = self._bom
        try:
            for chunk in self.chunks():
                yield decoder.decode(chunk[skip:])
                skip = 0
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise self.error(f"is not valid {self._encoding.upper()} text: save it as UTF-8") from None

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _encoding_of(first: bytes) -> tuple[int, str]:
    """The length of the byte order mark, and the encoding; zero bytes tell UTF-16 without a mark."""
    for bom, encoding in _BOMS.items():
        if first.startswith(bom):
            return len(bom), encoding
    if len(first) >= 4 and first[1] == first[3] == 0 and first[0] and first[2]:
        return 0, "utf-16-le"
    if len(first) >= 4 and first[0] == first[2] == 0 and first[1] and first[3]:
        return 0, "utf-16-be"
    return 0, "utf-8"
