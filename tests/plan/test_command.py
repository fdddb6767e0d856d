"""The command `tpsi-plan`: what an operator types, and what they are told."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tpsi.plan import Probability
from tpsi_plan import main
from tpsi_plan.tables import chance, duration, octets

Run = Callable[..., tuple[int, str, str]]
QUICK = ("--slot-seconds", "0.001")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command: exit status, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return call


def measurement(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps(list(entries) if len(entries) != 1 else entries[0]))
    return path


def entry(**changes: Any) -> dict[str, Any]:
    whole = {"hash": "dct80", "probes": 16, "pairs": 10**12, "false_matches": 2, "upper": 6.3e-12, "confidence": 0.95}
    return whole | changes


def test_the_published_example_prints_its_threshold_and_the_library_that_it_implies(run: Run) -> None:
    status, out, _ = run("--published", *QUICK)
    assert status == 0
    assert "A threshold of 30 meets the wish: 1.00e-12 an account and year" in out
    assert "up to 6,171,985 pictures a year" in out
    assert re.search(r"29 .*5\.06e-12", out)
    assert "The table of the list" not in out  # how long the list is was not published


def test_a_measurement_that_says_too_little_ends_with_3_and_says_so(run: Run) -> None:
    pairs = ("--pairs", "dct80=866350", "--false-matches", "dct80=0")
    status, out, _ = run("--list", "dct80=1_000_000", "--library", 20_000, *pairs, *QUICK)
    assert status == 3
    text = " ".join(out.split())
    assert "No threshold gives 1e-12 an account and year." in text
    assert "0 false matches in 866,350 pairs show no more than a rate of at most 3.5e-06" in text


def test_json_has_every_member_and_no_text_beside_it(run: Run, tmp_path: Path) -> None:
    file = measurement(tmp_path / "recall.json", entry())
    asked = (
        "--list",
        "dct80=1000",
        "--library",
        5000,
        "--probes",
        16,
        "--measured",
        file,
        "--matches",
        40,
        "--accounts",
        9,
    )
    status, out, err = run(*asked, "--json", *QUICK)
    assert (status, err) == (0, "")
    made = json.loads(out)
    assert made.keys() == {
        *("threshold", "smallest", "wished", "meets", "pictures", "vouchers", "overdispersion", "expected", "rates"),
        *("steps", "accounts", "accounts_expected", "doubts", "largest_library", "seen", "revealed", "levels", "costs"),
        *("findings", "pictures_drawn"),
    }
    assert [one["listed"] for one in made["revealed"]] == [40]
    assert made["rates"][0]["pairs"] == 10**12
    assert made["steps"][0]["planned"].keys() == {"value", "log10"}
    assert made["costs"]["slots"] == 16
    assert made["costs"]["seconds"] == pytest.approx(80)


def test_the_measurement_with_the_next_more_probes_is_taken(run: Run, tmp_path: Path) -> None:
    file = measurement(
        tmp_path / "m.json", entry(probes=4), entry(probes=64, pairs=10**11), entry(probes=16, hash="phash")
    )
    status, out, _ = run("--list", "dct80=10", "--library", 100, "--probes", 16, "--measured", file, "--json", *QUICK)
    assert status == 0
    assert json.loads(out)["rates"][0]["pairs"] == 10**11


def test_several_hash_types_are_planned_together(run: Run, tmp_path: Path) -> None:
    file = measurement(tmp_path / "m.json", entry(), entry(hash="pdq"))
    lists = ("--list", "dct80=100", "--list", "pdq=200")
    status, out, _ = run(*lists, "--library", 5000, "--measured", file, "--json", *QUICK)
    assert status == 0
    assert [rate["hash"] for rate in json.loads(out)["rates"]] == ["dct80", "pdq"]
    assert json.loads(out)["vouchers"] == 10_000


@pytest.mark.parametrize("form", ["svg", "png"])
def test_pictures_are_drawn(run: Run, tmp_path: Path, form: str) -> None:
    asked = ("--list", 1000, "--library", 5000, "--rate", "1e-8", "--pictures", tmp_path / "out", "--format", form)
    status, out, _ = run(*asked, *QUICK)
    assert status == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"{name}.{form}" for name in ("cover", "reveal", "threshold")]
    for file in files:
        assert str(file) in out.replace("\n", "")
        if form == "png":
            pixels = np.asarray(Image.open(file).convert("RGB"))
            assert pixels.shape[0] > 500
            assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20  # curves in colour, not a blank page
        else:
            text = file.read_text("utf-8")
            assert text.count("<path") > 20
            assert "<dc:date>" not in text  # the same plan gives the same file


def test_an_assumption_is_called_one(run: Run) -> None:
    _, out, _ = run("--list", 1000, "--library", 5000, "--rate", "1e-9", *QUICK)
    assert "the rate of hash, 1e-09, is an assumption" in out


def test_the_time_of_a_slot_is_measured_if_it_is_not_given(run: Run) -> None:
    _, out, _ = run("--list", 1000, "--library", 5000, "--rate", "1e-9", "--json")
    assert json.loads(out)["costs"]["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--list", "a=5", "--library", "9"), "nothing says how often a matches falsely"),
        (("--list", "5", "--library", "9", "--pairs", "7"), "--pairs and --false-matches belong together"),
        (("--list", "a=5", "--library", "9", "--rate", "b=0.1"), "--rate names b, for which there is no --list"),
        (("--list", "5", "--library", "9", "--rate", "x"), "--rate is a number, or NAME=number, not 'x'"),
        (("--list", "5", "--list", "6", "--library", "9", "--rate", "0.1"), "name every hash type once"),
        (("--list", "5", "--library", "9", "--rate", "1"), "a false-match rate is at least 0 and below 1"),
        (("--list", "5", "--library", "9", "--rate", "nan"), "a false-match rate is at least 0 and below 1"),
        (("--list", "5", "--library", "9", "--rate", "0.1", "--wished", "0"), "the wished chance is between 0 and 1"),
        (("--list", "5", "--library", "9", "--rate", "0", "--recall", "2"), "recall is above 0 and at most 1"),
        (("--list", "5", "--library", "9", "--rate", "0", "--format", "bmp", "--pictures", "x"), "svg or png, not bmp"),
        (("--list", "5", "--library", "9", "--rate", "0", "--overdispersion", "9"), "overdispersion is at least 1"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = run(*arguments, *QUICK)
    assert (status, out) == (1, "")
    assert said in err
    assert err.startswith("tpsi-plan: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no measurements"),
        ("[3]", "holds no measurements"),
        ('{"hash": "a", "probes": 1, "pairs": 10}', "a measurement has hash, confidence, and whole numbers"),
        ('{"hash": "a", "probes": 1, "pairs": 10, "false_matches": 1.5}', "whole numbers"),
        ('{"hash": "a", "probes": 1, "pairs": 10, "false_matches": 11}', "no more false matches than pairs"),
        ('{"hash": "b", "probes": 1, "pairs": 10, "false_matches": 1}', "nothing says how often a matches"),
        ('{"hash": "a", "probes": 1, "pairs": 10, "false_matches": 1}', "measured with 1 probes at most"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_holds_no_such_measurement_is_refused(run: Run, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "m.json"
    file.write_text(content)
    status, _, err = run("--list", "a=5", "--library", 9, "--probes", 2, "--measured", file, *QUICK)
    assert status == 1
    assert said in err


@pytest.mark.parametrize("arguments", [("--library", "9"), ("--list", "5"), ("--list", "5", "--library", "0")])
def test_what_is_missing_is_named(run: Run, arguments: tuple[str, ...]) -> None:
    status, _, err = run(*arguments)
    assert status == 2
    assert "--list" in err or "--library" in err


def test_numbers_are_written_for_people() -> None:
    assert chance(Probability(0.0, -1341.5654)) == "2.72e-1342"
    assert chance(Probability(0.0, float("-inf"))) == "0"
    assert chance(Probability(9.999999e-13, -12.0000001)) == "1.00e-12"
    assert chance(Probability(0.25, -0.602)) == "0.25"
    assert octets(288) == "288 B"
    assert octets(152_300_000) == "152 MB"
    assert duration(0.0005) == "0.5 ms"
    assert duration(90) == "1.5 min"
