"""The verdict: whatever differs from the promise is found, and ends the program with status 1."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from examples.demo.cast import CAST, COPIES
from examples.demo.command import FAILED, finish
from examples.demo.narration import Narrator
from examples.demo.outcome import AccountOutcome, Seen, judge
from tests.demo.imagined import DAYS, THRESHOLD, Run, picture, seen, with_outcome

ALICE, BOB, CAROL, DAVE, ERIN = CAST
KEYS = [
    "name",
    "items",
    "listed_items",
    "distinct_listed_hashes",
    "opened_vouchers",
    "revealed",
    "expected_revealed",
    "ok",
]


def narrator() -> Narrator:
    """One that nobody hears."""
    return Narrator(Console(file=StringIO()))


def outcome(run: Run, pictures: list[bytes], **last: Any) -> AccountOutcome:
    """Carol's, all as it must be but for the pictures shown and what was seen on the last day."""
    album = run.album(CAROL)
    days = [seen(album, day) for day in range(1, DAYS + 1)]
    days[-1] = replace(days[-1], **last)
    expected = {picture(shot.name): shot.name for shot in album.until(DAYS) if shot.listed}
    return judge(album, THRESHOLD, days, pictures, expected)


def shown(run: Run) -> list[bytes]:
    """What must be shown of carol."""
    return [picture(shot.name) for shot in run.album(CAROL).until(DAYS) if shot.listed]


def test_a_run_as_promised_is_ok_and_the_summary_is_exactly_what_programs_expect(run: Run, tmp_path: Path) -> None:
    figures = run.figures()
    assert finish(figures, tmp_path, narrator()) == 0
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert list(summary) == ["threshold", "accounts", "list_hashes", "table_bytes", "voucher_bytes", "ok"]
    assert summary["ok"] is True
    assert (summary["threshold"], summary["list_hashes"]) == (THRESHOLD, 1001)
    assert [list(account) for account in summary["accounts"]] == [KEYS] * len(CAST)
    by_name = {account["name"]: account for account in summary["accounts"]}
    assert by_name["bob"]["distinct_listed_hashes"] == THRESHOLD
    assert by_name["bob"]["revealed"] == by_name["bob"]["expected_revealed"] == 0
    assert by_name["dave"]["listed_items"] == COPIES
    assert by_name["dave"]["distinct_listed_hashes"] == 1
    assert by_name["carol"]["revealed"] == by_name["carol"]["expected_revealed"] > THRESHOLD
    assert by_name["erin"]["revealed"] == by_name["erin"]["distinct_listed_hashes"] > THRESHOLD


def test_a_differing_account_makes_the_summary_not_ok_and_the_status_1(run: Run, tmp_path: Path) -> None:
    figures = with_outcome(run.figures(), "bob", "day 3: 4 pictures were revealed instead of 0")
    assert finish(figures, tmp_path, narrator()) == FAILED
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["ok"] is False
    assert [account["name"] for account in summary["accounts"] if not account["ok"]] == ["bob"]


def test_all_as_it_must_be(run: Run) -> None:
    assert outcome(run, shown(run)).problems == ()


def test_a_picture_that_was_not_revealed_is_named(run: Run) -> None:
    problems = outcome(run, shown(run)[1:], revealed=len(shown(run)) - 1).problems
    assert any(f"{shown(run)[0].decode()} was not revealed" in problem for problem in problems)


@pytest.mark.parametrize("foreign", [b"of somebody else", None], ids=["foreign", "repeated"])
def test_a_foreign_or_repeated_picture_is_found(run: Run, foreign: bytes | None) -> None:
    pictures = shown(run)
    pictures[0] = foreign or pictures[1]
    assert any("none of the account's listed ones" in problem for problem in outcome(run, pictures).problems)


def test_fewer_pictures_than_the_server_counts_are_found(run: Run) -> None:
    assert any("could be exported" in problem for problem in outcome(run, shown(run)[:-1]).problems)


@pytest.mark.parametrize("field", ["vouchers", "opened", "revealed", "flagged"])
def test_what_is_seen_on_each_day_is_checked(run: Run, field: str) -> None:
    album = run.album(BOB)
    good = [seen(album, day) for day in range(1, DAYS + 1)]
    assert judge(album, THRESHOLD, good, [], {}).ok
    for day in range(DAYS):
        bad = [*good]
        bad[day] = replace(good[day], **{field: type(getattr(good[day], field))(getattr(good[day], field) + 1)})
        found = judge(album, THRESHOLD, bad, [], {})
        assert not found.ok
        assert found.problems[0].startswith(f"day {day + 1}: ")


def test_a_reveal_that_was_taken_back_is_found(run: Run) -> None:
    album = run.album(CAROL)
    days = [seen(album, day) for day in range(1, DAYS)] + [Seen(*(_counts(seen(album, DAYS))), 0)]
    assert not judge(album, THRESHOLD, days, [], {picture("IMG_1.jpg"): "IMG_1.jpg"}).ok


def _counts(one: Seen) -> tuple[int, int]:
    return one.vouchers, one.opened
