"""The measurement measures what it says: known cases give known rates, and the whole of it runs."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from recall import report
from recall.command import _recall
from recall.corpus import LONGEST_SIDE, SAMPLES, Sample, of_folder, packaged
from recall.costs import costs
from recall.errors import RecallError
from recall.measure import DEEPEST, MIRROR_PROBED, Measured, measure
from recall.run import Results, run
from recall.summary import COUNTS, false_matches, summarise
from recall.transformations import BENIGN, CROPS, MIRROR
from tests.pictures.files import encode, photograph
from tests.pictures.recipes import picture
from tpsi.pictures import Picture, hasher
from tpsi.plan.reading import parse_measurements


def sample(name: str) -> Sample:
    return Sample(name, name, photograph(name).resize((320, 240)))


def held(name: str, *probes: int, origin: str = "") -> Measured:
    return Measured(name, origin or name, "dct64", tuple(probe.to_bytes(8) for probe in probes), {}, 0.001)


def test_there_are_nineteen_benign_changes_and_each_gives_a_picture() -> None:
    assert len(BENIGN) == 19
    assert set(CROPS) <= set(BENIGN)
    original = sample("coffee").image
    for name, change in BENIGN.items():
        copy = Picture.from_bytes(change(original), name).image
        assert min(copy.size) >= 60
        assert copy.size != original.size or copy.tobytes() != original.tobytes()


def test_a_copy_is_found_at_the_place_of_its_probe() -> None:
    (one,) = measure(sample("coffee"), ["dct80"])
    original = hasher("dct80").hash(Picture.from_bytes(encode(sample("coffee").image, "PNG")))
    assert one.probes[0] == original.digest
    assert len(one.probes) == DEEPEST
    for name, change in BENIGN.items():
        probes = hasher("dct80").probes(Picture.from_bytes(change(sample("coffee").image)), DEEPEST)
        assert one.found[name] == (probes.index(original) if original in probes else None)
    assert one.found[MIRROR] is None
    assert one.found[MIRROR_PROBED] is not None


def test_a_picture_that_shows_too_little_is_counted_as_refused() -> None:
    plain = Sample("plain", "plain", Image.new("RGB", (200, 200), "grey"))
    rows = [measure(one, ["dct80"])[0] for one in (plain, sample("chelsea"), sample("coffee"))]
    summary = summarise(rows, [], [], 80)
    assert (summary.hashed, summary.refused) == (2, 1)
    assert summary.recall["JPEG 95"][COUNTS[-1]][1] == 2
    assert summary.mean(1) <= summary.mean(16) <= summary.mean(64)
    assert summary.mean(16) < summary.mean(16, crops=False)


def test_false_matches_are_counted_by_the_place_of_the_probe() -> None:
    corpus = [held("a", 1, 2, 3), held("b", 9, 4, 1), held("c", 7, *range(100, 130), 9)]
    found = false_matches(corpus, corpus)
    assert found.pairs == 6
    assert found.matches == {1: 0, 4: 1, 16: 1, 64: 2, 256: 2}
    assert set(found.examples) == {("a", "b", 2), ("b", "c", 31)}


def test_regions_of_one_picture_are_no_false_matches() -> None:
    corpus = [held("a 0", 1, 2, origin="a"), held("a 1", 2, 1, origin="a"), held("b", 5, 6)]
    found = false_matches(corpus, corpus)
    assert found.pairs == 4
    assert not any(found.matches.values())


def test_screening_takes_out_what_it_knows() -> None:
    hard = [held("night", 1, 2), held("moon", 2, 1)]
    summary = summarise([held("a", 5), held("b", 6)], hard, [(1).to_bytes(8)], 64)
    assert (summary.degenerate.matches[4], summary.screened.matches[4]) == (2, 1)


@pytest.fixture(scope="module")
def results() -> Results:
    return run([sample("coffee"), sample("chelsea")], ["dct80", "phash"], 1, 1, lambda _done, _total: None)


def test_the_planner_reads_the_results(results: Results) -> None:
    text = json.dumps(report.document(results))
    measurements = parse_measurements(text, "recall.json")
    assert {(one.hash, one.probes) for one in measurements} == {(t, n) for t in ("dct80", "phash") for n in COUNTS}
    assert all(one.pairs == 2 for one in measurements)
    for entry in json.loads(text)["measurements"]:
        assert entry["lower"] <= entry["false_matches"] / entry["pairs"] < entry["upper"]
        assert entry["confidence"] == 0.95


def test_it_says_that_a_zero_certifies_nothing_for_a_list_of_a_million(results: Results) -> None:
    assert "certifies nothing about a list of a million" in report.caveat(results)


def test_tables_are_rectangular(results: Results) -> None:
    lines = [line for line in report.tables(results) if line]
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)
    assert len({line.count("|") for line in lines}) == 3


def test_the_command_measures_a_folder_and_writes_everything(tmp_path: Path) -> None:
    import typer

    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for seed in range(3):
        (folder / f"{seed}.png").write_bytes(encode(picture("smooth", seed, 200, 150), "PNG"))
    (folder / "notes.jpg").write_bytes(b"no picture")
    app = typer.Typer()
    app.command()(_recall)
    arguments = [str(folder), "--types", "dct80", "--quick", "--processes", "1", "--document", str(out)]
    outcome = CliRunner().invoke(app, [*arguments, "--json", str(out / "recall.json")])
    assert outcome.exit_code == 0, outcome.output
    assert json.loads((out / "recall.json").read_text())["pictures"] == 3
    assert "| dct80 |" in (out / "recall.md").read_text()
    for plot in ("recall-by-probes.png", "recall-by-change.png"):
        assert 1000 < (out / plot).stat().st_size < 300_000
    assert CliRunner().invoke(app, [str(folder), "--types", "dct81"]).exit_code == 1


def test_what_probes_cost_is_measured() -> None:
    _, _, *rows = costs(2000)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]
    assert [int(row[0]) for row in cells] == list(COUNTS)
    assert [int(row[1]) for row in cells] == [72 + 216 * count for count in COUNTS]
    assert [int(row[3]) for row in cells] == [0, 4, 6, 8, 10]
    assert all(float(row[2]) > 0 for row in cells)


def test_packaged_pictures_are_few_and_known() -> None:
    found = packaged()
    assert len(found) == 5 * len(SAMPLES)
    assert max(max(one.image.size) for one in found) <= LONGEST_SIDE


def test_a_folder_needs_two_pictures(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(encode(picture("smooth", 1, 50, 50), "PNG"))
    with pytest.raises(RecallError, match="fewer than two"):
        of_folder(tmp_path, 10)
