"""The warning when a table's parameters do not fit what the operator expects, and what is kept for the next."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.command import Run, running
from tests.server.site import Site
from tpsi.plan import Measurement
from tpsi_server import DataError, Store
from tpsi_server.expectations import SETTING, Expectations, expectations

ENOUGH = {"hash": "dct80", "probes": 16, "pairs": 10**13, "false_matches": 0, "confidence": 0.95}


@pytest.fixture
def run(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `tpsi-server build` on a folder whose list has 200 hashes of type dct80: status, stdout, stderr."""
    file = site.folder.path / "list.txt"
    file.write_text("".join(f"{k:010x}{2**40 - 1 - k:010x}\n" for k in range(1, 201)))
    with running(site, capsys, monkeypatch) as run:
        assert run("list", "import", file, "--source", "fuzzy", "--type", "dct80")[0] == 0
        yield run


def warnings(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("warning: ")]


def test_without_expectations_it_is_said_that_nothing_is_known(run: Run) -> None:
    status, _, err = run("build")
    assert status == 0
    assert "nobody has said how large libraries are" in warnings(err)[0]


def test_a_threshold_that_the_measurement_carries_is_built_without_a_word(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps(ENOUGH))
    status, _, err = run("build", "--expected-library", 20_000, "--measured", file)
    assert (status, err) == (0, "")


def test_too_few_pairs_are_a_warning_and_no_refusal(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps(ENOUGH | {"pairs": 866_350}))
    status, out, err = run("build", "--expected-library", 20_000, "--measured", file, "--json")
    assert status == 0
    made = json.loads(out)
    assert made["epoch"] > 0
    assert any("0 false matches in 866,350 pairs" in text for text in made["doubts"])
    assert any("against 200 listed hashes" in line for line in warnings(err))


def test_a_threshold_that_is_too_low_is_named_with_the_one_that_would_do(run: Run) -> None:
    status, _, err = run("build", "--threshold", 3, "--expected-library", 20_000, "--false-match-rate", "dct80=1e-6")
    assert status == 0
    assert "a threshold of 3 gives a false-account probability" in err
    assert "the smallest that does is 25" in err


def test_what_was_said_holds_for_later_epochs_until_something_else_is(run: Run, site: Site) -> None:
    run("build", "--threshold", 3, "--expected-library", 20_000, "--false-match-rate", "dct80=1e-6")
    assert "the smallest that does is 25" in run("build")[2]
    assert run("build", "--false-match-rate", "dct80=1e-18")[2] == ""
    with Store.open(site.folder.location) as store:
        assert expectations(store) == Expectations(20_000, (), {"dct80": 1e-18}, 1e-12)


def test_a_type_of_which_nothing_is_known_is_named(run: Run) -> None:
    _, _, err = run("build", "--expected-library", 20_000)
    assert "nothing says how often dct80 matches falsely" in err


@pytest.mark.parametrize("text", ["dct80", "=1", "dct80=x", "dct80="])
def test_a_rate_without_type_or_number_is_wrong_usage(run: Run, text: str) -> None:
    status, _, err = run("build", "--false-match-rate", text)
    assert status == 2
    assert "TYPE=X" in err


def test_a_rate_that_is_no_chance_is_refused_before_anything_is_built(run: Run, site: Site) -> None:
    with Store.open(site.folder.location) as store:
        before = len(store.epochs.all())
        status, _, err = run("build", "--false-match-rate", "dct80=7")
        assert status != 0
        assert "false-match rate" in err
        assert len(store.epochs.all()) == before


def test_a_measurement_ends_an_assumption_and_the_other_way_round() -> None:
    measured = Measurement("dct80", 16, 100, 0)
    assumed = Expectations().with_changes(10, (), {"dct80": 0.5}, None)
    assert assumed.with_changes(None, (measured,), {}, None) == Expectations(10, (measured,), {})
    again = Expectations(10, (measured,)).with_changes(None, (), {"dct80": 0.5}, 1e-6)
    assert again == Expectations(10, (), {"dct80": 0.5}, 1e-6)


def test_damaged_expectations_are_called_damaged(site: Site) -> None:
    with Store.open(site.folder.location) as store:
        store.settings.change(SETTING, lambda _: {"pictures": 3})
        with pytest.raises(DataError, match="expectations is damaged"):
            expectations(store)
