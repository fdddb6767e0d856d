"""Aims, tables, plots and the document: made from figures that are known, and judged rightly."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench import article, plots
from bench.comparison import Compared, compare
from bench.cores import Scaling
from bench.errors import BenchError
from bench.goals import Goal, goals
from bench.grids import grids
from bench.growth import Grown, Ran
from bench.machine import this_machine
from bench.measure import Cost, Subject
from bench.peer import NAME
from bench.run import PeerFound, Results
from bench.settings import QUICK, SUITES, growing
from bench.sizes import TableSize, VoucherSize
from bench.spread import Spread
from bench.steps import YARDSTICK
from bench.uploads import Upload

RISTRETTO = SUITES["ristretto255"]
SECONDS = {"blind and encode": 20e-6, "seal": 100e-6, "match": 40e-6}


def _costs() -> list[Cost]:
    costs: list[Cost] = []
    for backend, factor in (("native", 1.0), ("libsodium", 5.0)):
        for table in ("fuse", "cuckoo"):
            for operation, seconds in SECONDS.items():
                both = (factor * seconds, factor * seconds)
                subject = Subject(operation, RISTRETTO, table, backend)
                costs.append(Cost(subject, 10, both, {YARDSTICK: (1e-5, 1e-5), NAME: (2e-4, 2e-4)}))
    for opened in (50, 100):
        case = growing(opened)
        parameters = {"opened": opened, "real": case.real, "threshold": case.threshold, "rows": case.rows}
        costs.append(Cost(Subject("reveal", parameters=parameters), 1, (0.01, 0.02), {}))
    return costs


@pytest.fixture
def results() -> Results:
    """A run with figures that are easily checked."""
    costs = _costs()
    return Results(
        this_machine(),
        QUICK,
        costs,
        [TableSize(RISTRETTO, "fuse", 10**6, 36_175_872)],
        [VoucherSize(RISTRETTO, "fuse", 16, 0, 288)],
        PeerFound("2", 35.0, 100, 10),
        list(compare(costs)),
        [Scaling("match", RISTRETTO, "fuse", "native", (100.0, 100.0), (180.0, 190.0))],
        [Grown(n, 36 * n, Ran(1.0, 2**27), Ran(2.0, 5 * 2**30), 8, 1e-4, 2**26, 2**27) for n in (10**4, 10**5)],
        [Upload(RISTRETTO, "fuse", 0, 288, 100, 10, (0.005, 0.005), (0.004, 0.004), (0.1, 0.1))],
    )


def _met(results: Results) -> dict[str, tuple[bool | None, bool | None]]:
    return {goal.what: (goal.meets(goal.reach), goal.meets(goal.aim)) for goal in goals(results)}


def test_every_aim_is_judged_by_the_default_backends_figures(results: Results) -> None:
    assert _met(results) == {
        "blind and encode one listed hash, native": (True, True),
        "device's work for one item, native": (True, False),
        "match one voucher slot, native": (False, False),
        "table at a million": (True, None),
        "two cores against one: match": (True, None),
        "memory to build a table of 100,000 hashes": (False, None),
        "memory to seal from a table of 100,000 hashes": (True, None),
        "vouchers over gRPC, acknowledged when durable": (True, None),
    }


def test_a_bound_from_below_and_one_from_above() -> None:
    ours = Spread(5.0, 4.0, 6.0)
    assert Goal("x", "s", ours, 5.0).meets(5.0)
    assert Goal("x", "s", ours, 4.9).meets(4.9) is False
    assert Goal("x", "s", ours, 5.1, most=False).meets(5.1) is False
    assert Goal("x", "s", ours, 5.0).meets(None) is None


def test_all_tables_have_as_many_cells_in_a_row_as_columns(results: Results) -> None:
    for grid in grids(results):
        assert grid.rows
        assert {len(row) for row in grid.rows} == {len(grid.left) + len(grid.right)}, grid.title


def test_the_document_keeps_what_stands_outside_of_its_marks(results: Results, tmp_path: Path) -> None:
    (tmp_path / article.FILE).write_text(
        f"before\n{article.BEGIN}\nfigures of yesterday\n{article.END}\nafter\n", encoding="utf-8"
    )
    article.write(results, tmp_path)
    article.write(results, tmp_path)
    text = (tmp_path / article.FILE).read_text(encoding="utf-8")
    assert text.startswith(f"before\n{article.BEGIN}\n")
    assert text.endswith(f"\n{article.END}\nafter\n")
    assert "yesterday" not in text
    assert "| match one voucher slot, native | µs | openmined-psi: 200.0 | 40.00 |" in text
    drawn = {"benchmark-peer", "benchmark-tables", "benchmark-growth", "benchmark-reveal"}
    for name in drawn:
        assert f"({name}.svg)" in text
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
        assert 1000 < (tmp_path / f"{name}.png").stat().st_size < 300_000


def test_what_was_not_measured_is_not_drawn(results: Results, tmp_path: Path) -> None:
    nothing = replace(results, grown=[], compared=list[Compared]())
    assert set(plots.draw(nothing, tmp_path)) == {"benchmark-tables.svg", "benchmark-reveal.svg"}


def test_a_folder_without_the_document_or_its_marks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be read"):
        article.require_writable(tmp_path)
    (tmp_path / article.FILE).write_text("no marks")
    with pytest.raises(BenchError, match="figures: begin"):
        article.require_writable(tmp_path)


def test_the_projects_own_document_can_be_written() -> None:
    article.require_writable(Path(__file__).resolve().parent.parent.parent / "docs")
