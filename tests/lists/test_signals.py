"""Signal lists: the type names of the ThreatExchange tools, and lines that are no signals."""

import pytest

from tests.lists.conftest import Read, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Ignored, Reason, Refusal

MD5 = digest("md5")
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


@pytest.mark.parametrize(
    ("line", "label", "digits"),
    [
        (f"pdq {PDQ}", "pdq", PDQ),
        (f"pdq,{PDQ},100", "pdq", PDQ),
        (f"HASH_PDQ\t{PDQ.upper()}\tsome tags", "pdq", PDQ),
        (f"video_md5 {MD5}", "md5", MD5),
        (f"HASH_VIDEO_MD5;{MD5}", "md5", MD5),
        (f"photo_md5 {MD5}", "md5", MD5),
        (f"HASH_MD5 {MD5}", "md5", MD5),
        (f"HASH_SHA1 {digest('sha1', b'x')}", "sha1", digest("sha1", b"x")),
        (f'"sha256", "{PDQ}"', "sha256", PDQ),
    ],
)
def test_signal_names(read: Read, line: str, label: str, digits: str) -> None:
    assert read(line) == [Addition(ItemHash(label, bytes.fromhex(digits)), 1, number=1)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("raw_text bball now?", "raw-text"),
        ("HASH_TMK aGVsbG8=", "tmk-pdqf"),
        ("video_tmk_pdqf aGVsbG8=", "tmk-pdqf"),
        ("url_md5 " + MD5, "url-md5"),
        ("text_tlsh T1AB", "tlsh"),
        ("vpdq " + PDQ, "vpdq"),
        ("my_own_signal " + PDQ, "my_own_signal"),
    ],
)
def test_kinds_that_the_project_has_no_type_for_are_counted(read: Read, line: str, kind: str) -> None:
    assert read(line, format="threatexchange") == [Ignored(kind, 1, 1)]


def test_line_without_a_type_is_read_as_in_a_plain_list(read: Read) -> None:
    records = read(f"pdq {PDQ}\n{MD5}\nsha256:{PDQ}\npdq {PDQ}\n", format="threatexchange")
    assert [r.item.type for r in records if isinstance(r, Addition)] == ["pdq", "md5", "sha256", "pdq"]


def test_lines_that_are_no_signals(read: Read) -> None:
    records = read(f"pdq {PDQ}\nhello world\n{PDQ} pdq\npdq nothex\n", format="threatexchange")
    assert [r.reason for r in records if isinstance(r, Refusal)] == [
        Reason.BAD_ENTRY,
        Reason.BAD_ENTRY,
        Reason.NOT_HEXADECIMAL,
    ]
    assert [r.line for r in records] == [1, 2, 3, 4]
