"""NCMEC lists: entries, deletions and their order in time, and XML that is hostile or broken."""

import pytest

from tests.lists.conftest import Read, Write, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Deletion, Ignored, ListFileError, Reason, Refusal, open_list

MD5 = digest("md5")
SHA1 = digest("sha1")
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
EARLY, LATE = "2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z"


def answer(*entries: str, group: str = "images", tail: str = "") -> str:
    """A query answer with the given entries, each on lines of its own from line 4 on."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    root = '<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">\n'
    return f'{head}{root}<{group} count="1">\n' + "\n".join(entries) + f"\n</{group}>{tail}\n</queryResult>"


def entry(name: str, identifier: str, fingerprints: str = "", time: str = EARLY, element: str = "image") -> str:
    """One entry of member 42 on one line."""
    hashes = f"<fingerprints>{fingerprints}</fingerprints>" if fingerprints else ""
    fields = f'<member id="42">{name}</member><timestamp>{time}</timestamp><id>{identifier}</id>'
    return f"<{element}>{fields}{hashes}</{element}>"


def test_entry_with_several_hashes(read: Read) -> None:
    records = read(
        answer(
            entry(
                "M",
                "image1",
                f"<md5>{MD5.upper()}</md5><sha1> {SHA1} </sha1><pdna>QUJD</pdna><pdq>{PDQ}</pdq>",
            )
        )
    )
    assert records == [
        Addition(ItemHash("md5", bytes.fromhex(MD5)), 4, "42/image1", 1),
        Addition(ItemHash("sha1", bytes.fromhex(SHA1)), 4, "42/image1", 1),
        Ignored("photodna", 4, 1),
        Addition(ItemHash("pdq", bytes.fromhex(PDQ)), 4, "42/image1", 1),
    ]


def test_documented_layout_with_feedback_deletions_and_paging(write: Write) -> None:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
    <images count="2" maxTimestamp="2017-10-24T15:10:00Z">
        <image>
            <member id="42">Example</member>
            <timestamp>2017-10-24T15:00:00Z</timestamp>
            <id>image1</id>
            <classification>A1</classification>
            <fingerprints>
                <md5>{MD5}</md5>
            </fingerprints>
            <feedback><affirmativeFeedback type="Md5"><members>
                <member id="7">Another</member></members></affirmativeFeedback></feedback>
        </image>
        <deletedImage>
            <member id="43">Example</member>
            <id>image4</id>
            <timestamp>2017-10-24T15:10:00Z</timestamp>
        </deletedImage>
    </images>
    <videos count="1">
        <video>
            <member id="42">Example</member>
            <id>video1</id>
            <fingerprints>
                <sha1>{SHA1}</sha1>
                <tmk-pdqf rel="self" href="/v2/entries/1/fingerprints/TMK_PDQF"/>
            </fingerprints>
        </video>
        <deletedVideo><member id="42"/><id>video4</id></deletedVideo>
    </videos>
    <paging><next>/v2/entries?start=2001&amp;size=1000</next></paging>
</queryResult>"""
    with open_list(write(text)) as reader:
        records = list(reader)
        assert reader.format == "ncmec"
        assert reader.position == reader.size == len(text)
        assert [("next page" in note) for note in reader.notes] == [True]
    assert records == [
        Addition(ItemHash("md5", bytes.fromhex(MD5)), 4, "42/image1", 1),
        Deletion(15, None, "43/image4", 2),
        Addition(ItemHash("sha1", bytes.fromhex(SHA1)), 22, "42/video1", 3),
        Ignored("tmk-pdqf", 22, 3),
        Deletion(30, None, "42/video4", 4),
    ]


def test_same_id_of_two_members_is_two_entries(read: Read) -> None:
    one = entry("A", "x", f"<md5>{MD5}</md5>")
    records = read(answer(one, one.replace('id="42"', 'id="43"')))
    assert [r.entry for r in records if isinstance(r, Addition)] == ["42/x", "43/x"]


def test_deletion_before_an_older_addition_wins(read: Read) -> None:
    records = read(
        answer(
            entry("M", "x", time=LATE, element="deletedImage"),
            entry("M", "x", f"<md5>{MD5}</md5>", time=EARLY),
            entry("M", "x", f"<md5>{MD5}</md5>", time="no time at all"),
        )
    )
    assert records == [Deletion(4, None, "42/x", 1), Ignored("withdrawn", 5, 2), Ignored("withdrawn", 6, 3)]


def test_entry_that_came_back_after_its_deletion_is_added(read: Read) -> None:
    gone = entry("M", "x", time=EARLY, element="deletedImage")
    records = read(answer(gone, gone, entry("M", "x", f"<md5>{MD5}</md5>", time=LATE)))
    assert isinstance(records[-1], Addition)


def test_newest_of_several_deletions_counts(read: Read) -> None:
    records = read(
        answer(
            entry("M", "x", time=LATE, element="deletedImage"),
            entry("M", "x", time=EARLY, element="deletedImage"),
            entry("M", "x", f"<md5>{MD5}</md5>", time="2024-03-01T00:00:00"),
        )
    )
    assert isinstance(records[-1], Ignored)


def test_deletion_that_carries_its_hashes(read: Read) -> None:
    item = ItemHash("md5", bytes.fromhex(MD5))
    named = entry("M", "x", f"<md5>{MD5}</md5><sha1>zz</sha1>", element="deletedImage")
    bare = f"<deletedImage><fingerprints><md5>{MD5}</md5></fingerprints></deletedImage>"
    first, second, third, fourth = read(answer(named, bare))
    assert (first, second) == (Deletion(4, None, "42/x", 1), Deletion(4, item, "42/x", 1))
    assert isinstance(third, Refusal)
    assert fourth == Deletion(5, item, None, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (entry("M", "x"), Reason.NO_HASH),
        (entry("M", "x", "<md5/><sha1> </sha1>"), Reason.NO_HASH),
        (entry("M", "x", "<md5>zz</md5>"), Reason.NOT_HEXADECIMAL),
        (entry("M", "x", f"<md5>{'0' * 32}</md5>"), Reason.DEGENERATE),
        (entry("M", "x", f"<md5>{'a' * 10_000}</md5>"), Reason.TOO_LONG),
        (entry("M", "y" * 300, f"<md5>{MD5}</md5>"), Reason.BAD_ENTRY),
        (entry("M", "", element="deletedImage"), Reason.BAD_ENTRY),
    ],
)
def test_faulty_entry_is_refused_and_the_next_is_read(read: Read, text: str, reason: Reason) -> None:
    refused, good = read(answer(text, entry("M", "ok", f"<sha1>{SHA1}</sha1>")))
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.line, refused.number) == (reason, 4, 1)
    assert isinstance(good, Addition)


def test_entry_with_endless_fingerprints(read: Read) -> None:
    records = read(answer(entry("M", "x", f"<md5>{MD5}</md5>" * 1000)))
    assert len(records) == 65
    assert isinstance(records[-1], Refusal)
    assert "936" in records[-1].detail


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("doctype", [BOMB, EXTERNAL, '<!DOCTYPE queryResult SYSTEM "http://127.0.0.1/x.dtd">'])
def test_entity_bomb_and_external_entities(read: Read, doctype: str) -> None:
    text = answer(entry("M", "&b;", f"<md5>{MD5}</md5>")).replace("<queryResult", doctype + "<queryResult")
    with pytest.raises(ListFileError, match="DTD or entities"):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html><body>Please log in</body></html>", "web page"),
        ("<!DOCTYPE html><html></html>", "web page"),
        ("<status><member/></status>", "its root is 'status'"),
        (answer(entry("M", "x", f"<md5>{MD5}</md5>"))[:-30], "cut off"),
        (answer() * 2, "after the end of queryResult"),
        (answer("<image><md5></image>"), "line 4"),
        (answer("<a>" * 100_000), "deep"),
        (answer(f'<image name="{"x" * 5_000_000}"/>'), "longer than"),
        (answer("\0"), "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><queryResult/>', "unknown encoding"),
        ('<?xml version="1.0" encoding="utf-7"?><queryResult/>', "multi-byte encodings"),
        (answer(entry("M", "caf\xe9")).encode("latin-1"), "not well-formed"),
        ("<x:queryResult/>", "not well-formed"),
    ],
)
def test_file_that_is_no_ncmec_list(read: Read, text: str | bytes, message: str) -> None:
    with pytest.raises(ListFileError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_with_a_byte_order_mark(read: Read, encoding: str) -> None:
    text = answer(entry("M", "x", f"<md5>{MD5}</md5>")).replace('encoding="UTF-8" ', "")
    (record,) = read(text.encode(encoding))
    assert isinstance(record, Addition)


def test_answer_without_entries(read: Read) -> None:
    assert read(answer()) == []
