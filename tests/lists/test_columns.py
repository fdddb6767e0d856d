"""CSV lists: columns by name, delimiters, quotes, and rows in which something is wrong."""

import pytest

from tests.lists.conftest import Read, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Ignored, ListFileError, Reason, Record, Refusal

MD5 = [digest("md5", bytes([n])) for n in range(8)]
SHA1 = [digest("sha1", bytes([n])) for n in range(8)]
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


def items(records: list[Record]) -> list[str]:
    """The added items in text form."""
    return [str(r.item) for r in records if isinstance(r, Addition)]


def reasons(records: list[Record]) -> list[tuple[int, Reason]]:
    """Line and reason of the refusals."""
    return [(r.line, r.reason) for r in records if isinstance(r, Refusal)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_several_hashes_a_row(read: Read, delimiter: str) -> None:
    rows = [
        ["Name", "MD5", "SHA-1", "PDQ Hash"],
        ["a.jpg", MD5[0].upper(), SHA1[0], PDQ],
        ["b.jpg", MD5[1], "", ""],
    ]
    records = read("\r\n".join(delimiter.join(row) for row in rows))
    assert items(records) == [f"md5:{MD5[0]}", f"sha1:{SHA1[0]}", f"pdq:{PDQ}", f"md5:{MD5[1]}"]
    assert [(r.line, r.number) for r in records] == [(2, 1), (2, 1), (2, 1), (3, 2)]


@pytest.mark.parametrize(
    "header", ["type,hash", "collab_type;x\tsignal_type,signal_str", "hash_type,value", "Algorithm , Digest"]
)
def test_type_and_hash_columns(read: Read, header: str) -> None:
    header = header.rpartition("\t")[2]
    assert items(read(f"{header}\nMD5,{MD5[0]}\nsha-1,{SHA1[0]}\n")) == [f"md5:{MD5[0]}", f"sha1:{SHA1[0]}"]


def test_single_column(read: Read) -> None:
    assert items(read(f"md5\n{MD5[0]}\n{MD5[1]}\n")) == [f"md5:{MD5[0]}", f"md5:{MD5[1]}"]


def test_hash_column_without_a_type(read: Read) -> None:
    text = f"hash,comment\n{MD5[0]},x\n{PDQ},y\n"
    assert reasons(read(text)) == [(3, Reason.AMBIGUOUS_TYPE)]
    assert items(read(f"hash,comment\n{PDQ},y\n", default_type="pdq")) == [f"pdq:{PDQ}"]


def test_export_of_a_signal_exchange(read: Read) -> None:
    text = (
        "collab,signal_type,signal_str,category,tags\n"
        f"Sample,pdq,{PDQ},POSITIVE_CLASS,a b\n"
        f"Sample,video_md5,{MD5[0]},NEGATIVE_CLASS,\n"
        f"Sample,video_md5,{MD5[1]},INVESTIGATION_SEED,\n"
        "Sample,raw_text,hello,POSITIVE_CLASS,\n"
    )
    assert read(text) == [
        Addition(ItemHash("pdq", bytes.fromhex(PDQ)), 2, number=1),
        Ignored("opinion negative_class", 3, 2),
        Ignored("opinion investigation_seed", 4, 3),
        Ignored("raw-text", 5, 4),
    ]


def test_columns_of_foreign_hashes_are_counted(read: Read) -> None:
    records = read(f"MD5;SHA1;PhotoDNA;CRC32;MyHash;Image ID\n{MD5[0]};;QUJD;1A2B;77;5\n{MD5[1]};;;;;6\n")
    assert [r.kind for r in records if isinstance(r, Ignored)] == ["photodna", "crc32", "myhash"]
    assert len(items(records)) == 2


def test_a_column_called_value_is_no_hash_beside_hash_columns(read: Read) -> None:
    assert items(read(f"md5,value\n{MD5[0]},12.50\n")) == [f"md5:{MD5[0]}"]


def test_entry_identifier(read: Read) -> None:
    (record,) = read(f"entry_id,md5\n abc-1 ,{MD5[0]}\n")
    assert isinstance(record, Addition)
    assert record.entry == "abc-1"
    assert reasons(read(f"entry_id,md5\n{'x' * 300},{MD5[0]}\n")) == [(2, Reason.BAD_ENTRY)]


def test_quoted_fields_with_delimiters_quotes_and_line_ends(read: Read) -> None:
    text = f'name,md5\n"a, ""b"".jpg","{MD5[0]}"\n"two\nlines",{MD5[1]}\nplain, "{MD5[2]}"\n'
    records = read(text)
    assert items(records) == [f"md5:{MD5[n]}" for n in range(3)]
    assert [r.line for r in records] == [2, 3, 5]


def test_stray_quote_costs_its_own_row_only(read: Read) -> None:
    rows = [f"{digest},name" for digest in MD5[1:]]
    records = read("md5,name\n" + f'{MD5[0]},"open\n' + "\n".join(rows))
    assert reasons(records) == [(2, Reason.BAD_QUOTES)]
    assert items(records) == [f"md5:{digest}" for digest in MD5[1:]]
    assert [r.line for r in records] == list(range(2, 10))


def test_two_stray_quotes_do_not_swallow_what_is_between(read: Read) -> None:
    text = f'md5,name\n{MD5[0]},"open\n{MD5[1]},b\n{MD5[2]},"c"\n'
    assert items(read(text)) == [f"md5:{MD5[1]}", f"md5:{MD5[2]}"]


def test_rows_with_the_wrong_number_of_fields(read: Read) -> None:
    records = read(f"name,md5\na,b.jpg,{MD5[0]}\nc.jpg\nd.jpg,{MD5[1]},\n,\n{MD5[2]},{MD5[3]}\n")
    assert reasons(records) == [(2, Reason.WRONG_COLUMNS), (3, Reason.NO_HASH), (5, Reason.NO_HASH)]
    assert items(records) == [f"md5:{MD5[1]}", f"md5:{MD5[3]}"]


def test_good_and_bad_hashes_in_one_row(read: Read) -> None:
    records = read(f"md5,sha1\n{MD5[0]},{MD5[1]}\n{'0' * 32},{SHA1[0]}\n")
    assert items(records) == [f"md5:{MD5[0]}", f"sha1:{SHA1[0]}"]
    assert reasons(records) == [(2, Reason.WRONG_LENGTH), (3, Reason.DEGENERATE)]


def test_names_in_another_encoding_do_not_matter(read: Read) -> None:
    assert items(read(b"name,md5\ncaf\xe9.jpg," + MD5[0].encode() + b"\n")) == [f"md5:{MD5[0]}"]


def test_zero_bytes_and_endless_lines_cost_their_row(read: Read) -> None:
    text = f"name,md5\na\0,{MD5[0]}\n{'x' * 200_000},{MD5[1]}\nc,{MD5[2]}\n"
    records = read(text)
    assert reasons(records) == [(2, Reason.NOT_TEXT), (3, Reason.TOO_LONG)]
    assert items(records) == [f"md5:{MD5[2]}"]


def test_endless_line_inside_a_quoted_field(read: Read) -> None:
    records = read(f'name,md5\n"open\n{"x" * 200_000}\nc,{MD5[2]}\n')
    assert reasons(records) == [(2, Reason.BAD_QUOTES), (3, Reason.TOO_LONG)]
    assert items(records) == [f"md5:{MD5[2]}"]


def test_comments_before_the_header(read: Read) -> None:
    assert items(read(f"# made today\n\nmd5,name\n{MD5[0]},x\n")) == [f"md5:{MD5[0]}"]


@pytest.mark.parametrize("text", ["name,size\na,1\n", f"{MD5[0]},a.jpg\n", "photodna,name\nQUJD,x\n", '"', "\0a,b\n"])
def test_header_that_names_no_hashes(read: Read, text: str) -> None:
    with pytest.raises(ListFileError, match="no header line"):
        read(text, format="csv")


def test_header_that_names_the_hash_twice(read: Read) -> None:
    with pytest.raises(ListFileError, match="several columns"):
        read(f"type,hash,digest\nmd5,{MD5[0]},{MD5[1]}\n", format="csv")
