"""Import reports: every record is counted, in numbers, words and JSON."""

import json

from tests.lists.conftest import Read, digest
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Deletion, Ignored, ImportReport, Reason, Refusal, Unit

ITEM = ItemHash("md5", bytes.fromhex(digest("md5")))
OTHER = ItemHash("sha1", bytes.fromhex(digest("sha1")))


def report(*records: Addition | Deletion | Ignored | Refusal, keep: int = 20) -> ImportReport:
    """A report fed with the records."""
    result = ImportReport(keep)
    for record in records:
        result.count(record)
    return result


def test_counts() -> None:
    result = report(
        Addition(ITEM, 1, number=1),
        Addition(OTHER, 1, number=1),
        Ignored("photodna", 1, 1),
        Addition(ITEM, 2, number=2),
        Deletion(3, entry="x", number=3),
        Refusal(9, Reason.DEGENERATE, "all zeros", 4),
    )
    assert (result.entries, result.additions, result.distinct, result.duplicates) == (4, 3, 2, 1)
    assert result.deletions == 1
    assert result.ignored == {"photodna": 1}
    assert result.refused == {Reason.DEGENERATE: 1}


def test_records_without_a_number_count_as_entries_of_their_own() -> None:
    assert report(Addition(ITEM, 1), Addition(OTHER, 1)).entries == 2


def test_same_digest_under_two_types_is_distinct() -> None:
    digits = bytes.fromhex(digest("sha256"))
    result = report(Addition(ItemHash("sha256", digits), 1), Addition(ItemHash("pdq", digits), 2))
    assert (result.distinct, result.duplicates) == (2, 0)


def test_first_refusals_are_kept_and_the_rest_counted() -> None:
    result = report(*(Refusal(n, Reason.NO_HASH, f"row {n}", n) for n in range(1, 51)), keep=3)
    assert [r.line for r in result.refusals] == [1, 2, 3]
    data = result.to_dict()
    assert data["refused"] == {"no_hash": 50}
    assert data["refusals_not_shown"] == 47
    assert result.lines()[-4:] == ["  line 1: row 1", "  line 2: row 2", "  line 3: row 3", "  and 47 more"]


def test_file_that_invents_kinds_without_end() -> None:
    result = report(*(Ignored(f"kind{n}", n, n) for n in range(1, 1001)))
    assert len(result.ignored) == 101
    assert result.ignored.total() == 1000
    assert result.to_dict()["ignored"]["other kinds"] == 900


def test_dictionary_is_json() -> None:
    result = report(Addition(ITEM, 1, number=1), Refusal(2, Reason.BAD_ENTRY, "no object", 2, Unit.ENTRY))
    assert json.loads(json.dumps(result.to_dict())) == {
        "entries": 2,
        "additions": 1,
        "distinct": 1,
        "duplicates": 0,
        "deletions": 0,
        "ignored": {},
        "refused": {"bad_entry": 1},
        "refusals": [{"unit": "entry", "line": 2, "reason": "bad_entry", "detail": "no object"}],
        "refusals_not_shown": 0,
    }


def test_text_for_a_terminal(read: Read) -> None:
    md5 = digest("md5")
    result = report(*read(f"md5,photodna\n{md5},QUJD\n{md5},QUJD\n{'0' * 32},\nzz,\n"))
    assert result.lines() == [
        "entries read  4",
        "additions     2 (1 distinct, 1 repeated)",
        "deletions     0",
        "ignored       2 (photodna 2)",
        "refused       2 (degenerate 1, not_hexadecimal 1)",
        "  line 4: this md5 is all zeros or all ones, so it stands for no item",
        "  line 5: 'zz' is not hexadecimal",
    ]


def test_report_of_nothing() -> None:
    assert report().lines()[-1] == "refused       0"
