"""Opening lists: detection by content, files that are no lists, progress, and bounded memory."""

import gzip
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import pytest

from tests.lists.conftest import Read, Write, digest
from tpsi.errors import CallerError, TpsiError
from tpsi_server.lists import Addition, ListFileError, ListFormat, Record, Refusal, open_list

MD5 = digest("md5")
SHA1 = digest("sha1")
SHA256 = digest("sha256")
ENTRY = f"<image><id>1</id><fingerprints><md5>{MD5}</md5></fingerprints></image>"
NCMEC = f"<queryResult><images>{ENTRY}</images></queryResult>"
VIC = json.dumps({"value": [{"MediaID": 1, "Category": 1, "MD5": MD5}]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{MD5}\n", "hex"),
        (f"# md5,sha1\n\n  {MD5.upper()}\n", "hex"),
        (f"not a hash at all\n{MD5}\n", "hex"),
        (f"{SHA256}\n", "hex"),
        (f"sha256:{SHA256}\n", "hex"),
        (f"{MD5}  pdq\n", "hex"),
        (f"md5\n{MD5}\n", "csv"),
        (f"id;Name;MD5 hash\n1;a;{MD5}\n", "csv"),
        (f"type,hash\nmd5,{MD5}\n", "csv"),
        (f"File Name\tSHA-1\na\t{SHA1}\n", "csv"),
        ("md5,sha1\n", "csv"),
        (f"pdq {SHA256}\n", "threatexchange"),
        (f"pdq,{SHA256}\n", "threatexchange"),
        (f"# x\nHASH_MD5 {MD5}\n{MD5}\nvideo_md5 {MD5}\n", "threatexchange"),
        (f"raw_text hello\npdq {SHA256}", "threatexchange"),
        (NCMEC, "ncmec"),
        ('<?xml version="1.0"?>' + NCMEC, "ncmec"),
        (VIC, "vic"),
        ("\n  " + VIC, "vic"),
    ],
)
def test_format_is_told_from_the_content(write: Write, text: str, expected: str) -> None:
    with open_list(write(text)) as reader:
        assert reader.format == expected
        assert reader.unit == ("entry" if expected == "vic" else "line")


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        f"{MD5},a.jpg\n",
        f"a.jpg,{MD5}\n",
        f"{MD5}\npdq {SHA256}\n",
        "# only a comment\n",
        "name,size\na,1\n",
    ],
)
def test_undecided_format(read: Read, text: str) -> None:
    with pytest.raises(ListFileError, match=r"hex, csv, threatexchange, ncmec, vic"):
        read(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\r\n \n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(MD5.encode(), mtime=0), "gzip"),
        (b"PK\x03\x04" + b"x" * 50, "zip"),
        (b"SQLite format 3\x00", "SQLite"),
        (bytes(1000), "not a text file"),
        (bytes(range(256)) * 20, "not a text file"),
        (MD5.encode("utf-32"), "not a text file"),
        (b"<html><title>Log in", "web page"),
    ],
)
@pytest.mark.parametrize("form", ["auto", "hex", "csv"])
def test_file_that_is_no_list(read: Read, content: bytes, message: str, form: str) -> None:
    if form != "auto" and b"html" in content:
        form = "auto"
    with pytest.raises(ListFileError, match=message) as caught:
        read(content, format=form)
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, TpsiError)


def test_directory_missing_file_and_impossible_name(tmp_path: Path) -> None:
    for path, message in [
        (tmp_path, "is a directory"),
        (tmp_path / "none", "No such file"),
        (tmp_path / "a\0b", "cannot be read"),
        (tmp_path / ("x" * 5000), "cannot be read"),
    ]:
        with pytest.raises(ListFileError, match=message) as caught:
            open_list(path)
        assert str(caught.value).isprintable()


def test_reading_on_after_closing(write: Write) -> None:
    with open_list(write(f"{MD5}\n" * 10_000)) as reader:
        records = iter(reader)
        next(records)
    reader.close()
    with pytest.raises(ListFileError):
        list(records)


def test_pipe_has_no_size(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(f"{MD5}\n{SHA1}\n".encode(),))
    writer.start()
    with open_list(path) as reader:
        assert reader.size is None
        assert len(list(reader)) == 2
    writer.join()


def test_progress_is_counted_in_bytes(write: Write) -> None:
    content = f"{MD5}\n" * 20_000
    with open_list(write(content)) as reader:
        assert reader.position == 0
        positions = [reader.position for _ in reader]
        assert reader.size == len(content) == reader.position
    assert positions == sorted(positions)
    assert len(set(positions)) > 5


def test_callers_mistakes(write: Write) -> None:
    path = write(f"{MD5}\n")
    with pytest.raises(CallerError, match="auto, hex, csv"):
        open_list(path, format="xml")
    with pytest.raises(CallerError, match="not a hash type"):
        open_list(path, default_type="no such type!")
    with pytest.raises(CallerError, match="vic lists only"):
        open_list(path, categories={1})


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Trace memory in a block; the function it gives says the peak in bytes."""
    tracemalloc.start()
    peak = 0
    try:
        yield lambda: peak
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def vic_entries(count: int) -> Iterator[str]:
    """A hash set, piece by piece."""
    yield '{"@odata.context": "x", "value": [null'
    for number in range(count):
        sha1 = digest("sha1", str(number).encode())
        hashes = f'"MD5": "{sha1[:32]}", "SHA1": "{sha1}"'
        yield f',\n{{"MediaID": {number}, "Category": 1, "DateUpdated": "2024-01-01", {hashes}}}'
    yield "]}"


def ncmec_entries(count: int) -> Iterator[str]:
    """A query answer, piece by piece."""
    yield "<queryResult><images>"
    for number in range(count):
        sha1 = digest("sha1", str(number).encode())
        hashes = f"<fingerprints><md5>{sha1[:32]}</md5><sha1>{sha1}</sha1></fingerprints>"
        yield f'<image><member id="1">M</member><id>{number}</id>{hashes}</image>\n'
    yield "</images></queryResult>"


def csv_entries(count: int) -> Iterator[str]:
    """A CSV list with quoted fields, line by line."""
    yield "name,md5,sha1\n"
    for number in range(count):
        sha1 = digest("sha1", str(number).encode())
        yield f'"a picture, number {number}",{sha1[:32]},{sha1}\n'


@pytest.mark.parametrize("entries", [vic_entries, ncmec_entries, csv_entries])
def test_long_list_streams_in_bounded_memory(tmp_path: Path, entries: Callable[[int], Iterator[str]]) -> None:
    path = tmp_path / "long"
    with path.open("w") as file:
        file.writelines(entries(20_000))
    with traced() as peak, open_list(path) as reader:
        count = sum(isinstance(record, Addition) for record in reader)
    assert count == 40_000
    assert peak() < 1_500_000 < path.stat().st_size


@pytest.mark.parametrize(
    "content",
    [
        "a" * 10_000_000,
        f'{{"value": ["{"a" * 10_000_000}',
        f'<queryResult><images><image a="{"a" * 10_000_000}',
        "md5,name\n" + f'{MD5},"open\n' * 100_000,
    ],
)
@pytest.mark.parametrize("form", ["auto", *ListFormat])
def test_hostile_content_is_not_buffered(write: Write, content: str, form: str) -> None:
    path = write(content)
    refusals: list[Record] = []
    with traced() as peak, suppress(ListFileError), open_list(path, format=form) as reader:
        refusals = list(islice((record for record in reader if isinstance(record, Refusal)), 10))
        assert refusals
    assert peak() < 8_000_000
