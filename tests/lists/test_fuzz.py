"""Whatever the bytes are, a list is read, refused line by line, or refused whole; nothing else comes out."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lists.conftest import digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, ImportReport, ListFileError, ListFormat, Record, Refusal, open_list

MD5 = digest("md5")
FOREIGN = {"HashName": "F1", "HashValue": "x"}
NASTY = [b'"', b"\n", b"<", b"&#0;", b"[", b"\\u"]
SAMPLES = [
    f"{MD5}\n# c\nsha256:{digest('sha256')}\n".encode(),
    f'name,md5,sha1\n"a, b",{MD5},{digest("sha1")}\nc,,\n'.encode(),
    f"pdq {digest('sha256')}\nHASH_MD5,{MD5}\nraw_text x y\n".encode(),
    f'<queryResult xmlns="u"><images><image><member id="1"/><id>2</id><fingerprints><md5>{MD5}</md5></fingerprints>'
    "</image><deletedImage><id>3</id></deletedImage></images></queryResult>".encode(),
    json.dumps({"value": [{"MediaID": 1, "Category": 1, "MD5": MD5, "AlternativeHashes": [FOREIGN]}]}).encode(),
]


def check(record: Record) -> None:
    """What must hold of every record."""
    assert record.line >= 1
    assert record.number >= 1
    if isinstance(record, Addition):
        assert ItemHash.decode(record.item.encode()) == record.item
    if isinstance(record, Refusal):
        assert record.detail.isprintable()


def read_all(content: bytes, form: str) -> None:
    """Read `content` and check what must hold of every list."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes(content)
        read_file(path, form)


def read_file(path: Path, form: str) -> None:
    """The same of a file."""
    report = ImportReport()
    message = ""
    try:
        with open_list(path, format=form) as reader:
            for record in reader:
                report.count(record)
                check(record)
    except ListFileError as error:
        message = str(error)
    assert message.isprintable()
    assert all(line.isprintable() for line in report.lines())
    json.dumps(report.to_dict())


@pytest.mark.parametrize("form", ["auto", *ListFormat])
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
@example(content=b"\xff\xfe")
@example(content=b"\xff\xfe\x00")
@example(content=b"\x00a\x00b")
@example(content=b"\r")
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes(form: str, content: bytes) -> None:
    read_all(content, form)


@pytest.mark.parametrize("form", ["auto", *ListFormat])
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_lists_with_bytes_changed_inserted_or_cut(form: str, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 8)))
        content[start:end] = data.draw(st.binary(max_size=8) | st.sampled_from(NASTY))
    read_all(bytes(content), form)


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_truncation(sample: bytes) -> None:
    for end in range(len(sample)):
        read_all(sample[:end], "auto")
