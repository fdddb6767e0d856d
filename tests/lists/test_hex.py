"""Plain lists: what counts as a digest, and what is refused with which reason and line."""

import pytest

from tests.lists.conftest import Read, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Ignored, Reason, Refusal

MD5 = digest("md5")
SHA1 = digest("sha1")
SHA256 = digest("sha256")
SHA512 = digest("sha512")
PHASH = "c3d1a59687f00f1e"


def item(label: str, digits: str) -> ItemHash:
    return ItemHash(label, bytes.fromhex(digits))


def refusal(read: Read, text: str | bytes, **options: object) -> Refusal:
    """The one refusal that a list of one faulty line gives."""
    (record,) = read(text, format="hex", **options)
    assert isinstance(record, Refusal)
    return record


def test_types_are_inferred_from_unambiguous_lengths(read: Read) -> None:
    records = read(f"{MD5}\n{SHA1}\n{SHA512}\n")
    assert records == [
        Addition(item("md5", MD5), 1, number=1),
        Addition(item("sha1", SHA1), 2, number=2),
        Addition(item("sha512", SHA512), 3, number=3),
    ]


def test_comments_and_blank_lines_are_skipped_but_counted_as_lines(read: Read) -> None:
    records = read(f"# from a provider\n\n   \n{MD5}  # the first\n  # more\n{SHA1}")
    assert [(r.line, r.number) for r in records] == [(4, 1), (6, 2)]
    assert all(isinstance(r, Addition) for r in records)


@pytest.mark.parametrize(
    "line",
    [MD5.upper(), f"  {MD5}\t", f'"{MD5}"', f"'{MD5}'", f"md5:{MD5}", f"MD5:{MD5.upper()}", f"md5sum:{MD5}"],
)
def test_one_digest_is_read_alike_however_it_is_written(read: Read, line: str) -> None:
    assert read(line) == [Addition(item("md5", MD5), 1, number=1)]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(read: Read, ending: str) -> None:
    records = read(f"{MD5}{ending}{ending}{SHA1}{ending}".encode())
    assert [r.line for r in records] == [1, 3]
    assert all(isinstance(r, Addition) for r in records)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_and_utf_16(read: Read, encoding: str) -> None:
    records = read(f"{MD5}\r\n{SHA1}\r\n".encode(encoding))
    assert [r.item.type for r in records if isinstance(r, Addition)] == ["md5", "sha1"]


def test_lines_of_checksum_tools(read: Read) -> None:
    records = read(f"{MD5}  holiday picture.jpg\n{MD5} *b.jpg\n")
    assert [r.item for r in records if isinstance(r, Addition)] == [item("md5", MD5)] * 2


def test_second_digest_on_a_line_is_not_taken_for_a_file_name(read: Read) -> None:
    assert refusal(read, f"{MD5}  {SHA1}\n").reason is Reason.WRONG_COLUMNS


def test_64_digits_need_a_type(read: Read) -> None:
    refused = refusal(read, SHA256)
    assert refused.reason is Reason.AMBIGUOUS_TYPE
    assert "pdq or sha256" in refused.detail
    assert read(SHA256, default_type="sha256") == [Addition(item("sha256", SHA256), 1, number=1)]
    assert read(SHA256, default_type="PDQ") == [Addition(item("pdq", SHA256), 1, number=1)]


def test_same_digest_under_two_types_is_two_items(read: Read) -> None:
    records = read(f"sha256:{SHA256}\npdq:{SHA256}\n")
    assert [r.item for r in records if isinstance(r, Addition)] == [
        item("sha256", SHA256),
        item("pdq", SHA256),
    ]


def test_named_type_wins_over_the_default(read: Read) -> None:
    assert read(f"sha1:{SHA1}", default_type="md5") == [Addition(item("sha1", SHA1), 1, number=1)]


def test_default_type_may_be_one_that_the_project_does_not_know(read: Read) -> None:
    records = read(f"{PHASH}\ndhash:{PHASH}\n", default_type="dHash")
    assert [r.item for r in records if isinstance(r, Addition)] == [item("dhash", PHASH)] * 2


def test_foreign_type_is_ignored_by_kind_and_a_mistyped_one_too(read: Read) -> None:
    assert read(f"dhash:{PHASH}\nmdd5:{MD5}\n", format="hex") == [
        Ignored("dhash", 1, 1),
        Ignored("mdd5", 2, 2),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("zz" * 16, Reason.NOT_HEXADECIMAL),
        (MD5[:-1], Reason.ODD_LENGTH),
        (MD5[:-2], Reason.WRONG_LENGTH),
        (f"md5:{SHA1}", Reason.WRONG_LENGTH),
        ("md5:", Reason.NO_HASH),
        (f"{MD5[:16]} {MD5[16:]}", Reason.WRONG_COLUMNS),
        ("0x" + MD5, Reason.NOT_HEXADECIMAL),
        ("\u0661" * 32, Reason.NOT_HEXADECIMAL),
        (MD5[:-1] + "\u00a0", Reason.ODD_LENGTH),
        (MD5 + "\0", Reason.NOT_TEXT),
        (PHASH, Reason.AMBIGUOUS_TYPE),
    ],
)
def test_malformed_digest(read: Read, line: str, reason: Reason) -> None:
    assert refusal(read, line).reason is reason


@pytest.mark.parametrize(
    "line",
    [
        "md5:" + "0" * 32,
        "md5:" + "f" * 32,
        "pdq:" + "0" * 64,
        "phash:8000000000000000",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512:" + digest("sha512", b""),
    ],
)
def test_digest_of_every_empty_or_blank_item(read: Read, line: str) -> None:
    assert refusal(read, line).reason is Reason.DEGENERATE


def test_bad_line_does_not_stop_the_file(read: Read) -> None:
    records = read(f"{MD5}\n\xff\xfe nonsense\n{SHA1}\n")
    assert [type(r) for r in records] == [Addition, Refusal, Addition]
    assert [r.line for r in records] == [1, 2, 3]


def test_bytes_that_are_not_utf_8_spoil_only_their_line(read: Read) -> None:
    records = read(MD5.encode() + b"  caf\xe9.jpg\n# \xff\n\xff\xff\n" + SHA1.encode())
    assert [type(r) for r in records] == [Addition, Refusal, Addition]


def test_refusal_shows_no_control_characters(read: Read) -> None:
    refused = refusal(read, "\x1b[2J\x1b]0;title\x07" + "x" * 200)
    assert refused.detail.isprintable()
    assert len(refused.detail) < 200
    assert str(refused).startswith("line 1: ")


def test_line_without_end_is_refused_and_not_buffered(read: Read) -> None:
    records = read(f"{MD5}\n{'a' * 10_000_000}\n{SHA1}\n{'b' * 100_000}")
    assert [type(r) for r in records] == [Addition, Refusal, Addition, Refusal]
    assert [r.reason for r in records if isinstance(r, Refusal)] == [Reason.TOO_LONG] * 2
    assert [r.line for r in records] == [1, 2, 3, 4]
