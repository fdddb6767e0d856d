"""Project VIC lists: both layouts, categories, encodings of digests, and JSON that is hostile or broken."""

import base64
import json
from typing import Any

import pytest

from tests.lists.conftest import Read, Write, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Deletion, Ignored, ListFileError, Reason, Refusal, open_list

MD5 = digest("md5")
SHA1 = digest("sha1")
SHA256 = digest("sha256")
CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"


def hash_set(*media: Any) -> str:
    """A hash set of the given media objects."""
    return json.dumps({"@odata.context": CONTEXT, "value": list(media)})


def media(number: Any = 1, category: Any = 1, **fields: Any) -> dict[str, Any]:
    """A media object with an md5, unless the fields say otherwise."""
    return {"MediaID": number, "Category": category, "MD5": MD5.upper(), **fields}


def test_hash_set(write: Write) -> None:
    text = hash_set(media(7, SHA1=SHA1, PhotoDNA="QUJD", MediaSize=5, Exifs=[{"PropertyName": "Make", "MD5": MD5}]))
    with open_list(write(text)) as reader:
        assert (reader.format, reader.unit) == ("vic", "entry")
        assert list(reader) == [
            Addition(ItemHash("md5", bytes.fromhex(MD5)), 1, "7", 1),
            Addition(ItemHash("sha1", bytes.fromhex(SHA1)), 1, "7", 1),
            Ignored("photodna", 1, 1),
        ]


def test_case_export_with_media_inside_cases(read: Read) -> None:
    cases = [
        {"CaseID": "c1", "Media": [media(1), media(2)], "CaseNumber": "1"},
        {"CaseID": "c2", "Media": [media("three", MediaFiles=[{"FileName": "x", "MD5": SHA1}])]},
        {"CaseID": "c3", "Media": []},
    ]
    records = read(json.dumps({"odata.metadata": "x", "value": cases}))
    assert [(r.entry, r.line) for r in records if isinstance(r, Addition)] == [
        ("1", 1),
        ("2", 2),
        ("three", 3),
    ]
    assert len(records) == 3


def test_only_category_1_is_taken_by_default(read: Read) -> None:
    text = hash_set(*(media(n, category) for n, category in enumerate([0, 1, 2, "1", 1.0, None, ""])))
    records = read(text)
    assert [r.entry for r in records if isinstance(r, Addition)] == ["1", "3", "4"]
    assert [r.kind for r in records if isinstance(r, Ignored)] == [
        *("category 0", "category 2", "category none", "category none")
    ]


def test_chosen_categories(read: Read) -> None:
    text = hash_set(media(1, 0), media(2, 1), media(3, 2), {"MD5": MD5})
    assert [type(r) for r in read(text, categories={0, 2})] == [Addition, Ignored, Addition, Ignored]
    assert [type(r) for r in read(text, categories="all")] == [Addition] * 4


def test_digests_in_base64(read: Read) -> None:
    md5, sha1 = (base64.b64encode(bytes.fromhex(digits)).decode() for digits in (MD5, SHA1))
    records = read(hash_set(media(MD5=md5, SHA1=sha1)))
    assert [str(r.item) for r in records if isinstance(r, Addition)] == [f"md5:{MD5}", f"sha1:{SHA1}"]


def test_alternative_hashes(read: Read) -> None:
    alternatives = [
        {"HashName": "SHA256", "HashValue": SHA256},
        {"HashName": "PhotoDNA", "HashValue": "QUJD"},
        {"HashValue": SHA256, "HashName": "PDQ"},
        {"HashName": "F1", "HashValue": {"deep": [1]}},
    ]
    records = read(hash_set(media(AlternativeHashes=alternatives), media(AlternativeHashes=None)))
    assert [str(r.item) for r in records if isinstance(r, Addition)] == [
        *(f"md5:{MD5}", f"sha256:{SHA256}", f"pdq:{SHA256}", f"md5:{MD5}")
    ]
    assert [r.kind for r in records if isinstance(r, Ignored)] == ["photodna", "f1"]


def test_malformed_alternative_hashes_are_reported(read: Read) -> None:
    _, refused = read(hash_set(media(AlternativeHashes=[3, {"HashValue": MD5}, [], None, {"HashName": ""}])))
    assert isinstance(refused, Refusal)
    assert refused.detail.startswith("5 alternative hashes")


def test_hash_given_twice_in_one_object_is_not_lost(read: Read) -> None:
    other = digest("md5", b"two")
    records = read(f'{{"value": [{{"Category": 1, "MD5": "{MD5}", "MD5": "{other}"}}]}}')
    assert [str(r.item) for r in records if isinstance(r, Addition)] == [f"md5:{MD5}", f"md5:{other}"]


def test_removed_entries_are_deletions_whatever_their_category(read: Read) -> None:
    item = ItemHash("md5", bytes.fromhex(MD5))
    records = read(hash_set({"MediaID": 5, "@removed": {"reason": "deleted"}}, {"@removed": True, "MD5": MD5}))
    assert records == [Deletion(1, None, "5", 1), Deletion(2, item, None, 2)]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (3, Reason.BAD_ENTRY),
        (None, Reason.BAD_ENTRY),
        ([], Reason.BAD_ENTRY),
        ([media()], Reason.BAD_ENTRY),
        (media(MD5=5), Reason.BAD_ENTRY),
        (media(MD5={"$binary": MD5}), Reason.BAD_ENTRY),
        (media(MD5=[MD5]), Reason.BAD_ENTRY),
        (media(number=[1]), Reason.BAD_ENTRY),
        (media(number="x" * 300), Reason.BAD_ENTRY),
        (media(category="A"), Reason.BAD_ENTRY),
        (media(category=1.5), Reason.BAD_ENTRY),
        (media(category=-1), Reason.BAD_ENTRY),
        (media(category=True), Reason.BAD_ENTRY),
        (media(category={}), Reason.BAD_ENTRY),
        ({"Category": 1}, Reason.NO_HASH),
        (media(MD5=""), Reason.NO_HASH),
        (media(MD5=None), Reason.NO_HASH),
        (media(MD5="zz"), Reason.NOT_HEXADECIMAL),
        (media(MD5=f"{MD5[:-2]}\0\0"), Reason.NOT_HEXADECIMAL),
        (media(MD5="\ud800" * 32), Reason.NOT_HEXADECIMAL),
        (media(MD5=SHA1), Reason.WRONG_LENGTH),
        (media(MD5="AAAAAAAAAAAAAAAAAAAAAA=="), Reason.DEGENERATE),
    ],
)
def test_faulty_entry_is_refused_by_its_ordinal(read: Read, entry: Any, reason: Reason) -> None:
    good, refused, last = read(hash_set(media(), entry, media()))
    assert isinstance(good, Addition)
    assert isinstance(last, Addition)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.line) == (reason, 2)
    assert str(refused).startswith("entry 2: ")


def test_entry_with_endless_hashes(read: Read) -> None:
    alternatives = [{"HashName": "sha256", "HashValue": SHA256}] * 1000
    records = read(hash_set(media(AlternativeHashes=alternatives)))
    assert len(records) == 65
    assert isinstance(records[-1], Refusal)
    assert "937" in records[-1].detail


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no `value` list"),
        ('{"value": 3}', "no `value` list"),
        ('{"values": []}', "no `value` list"),
        (json.dumps([media()]), "no `value` list"),
        (hash_set(media())[:-3], "cut off"),
        (hash_set(media()) + "}", "not well-formed"),
        (hash_set(media()) + hash_set(media()), "not well-formed"),
        ("{nonsense}", "not well-formed"),
        ('{"value": [{"MediaID": ' + "9" * 5000 + "}]}", "not well-formed"),
        ('{"value": [{"MediaID": 1e' + "9" * 50 + "}]}", "not well-formed"),
        ('{"value": ' + "[" * 100_000, "deep"),
        ('{"value": [' + '{"a":' * 100_000, "deep"),
        (f'{{"value": [{{"MD5": "{"a" * 5_000_000}"}}]}}', "longer than"),
        (f'{{"value": [{" " * 5_000_000}]}}', "longer than"),
        ('{"value": ["caf\xe9"]}'.encode("latin-1"), "not well-formed"),
    ],
)
def test_file_that_is_no_vic_list(read: Read, text: str | bytes, message: str) -> None:
    with pytest.raises(ListFileError, match=message) as caught:
        read(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["3", '"MD5"', "null"])
def test_json_that_is_one_plain_value(read: Read, text: str) -> None:
    with pytest.raises(ListFileError, match="no `value` list"):
        read(text, format="vic")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_encodings(read: Read, encoding: str) -> None:
    text = json.dumps({"value": [media(Series="\u65e5\u672c")]}, ensure_ascii=False)
    (record,) = read(text.encode(encoding))
    assert isinstance(record, Addition)


def test_utf_16_that_is_cut_inside_a_character(read: Read) -> None:
    with pytest.raises(ListFileError, match="UTF-16"):
        read(hash_set(media()).encode("utf-16")[:-1])
