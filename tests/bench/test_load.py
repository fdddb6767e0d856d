"""The long load: its rule for flat memory, and a short run of the real thing."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench import document, load, report
from bench.load import LoadPlan, growth, measure_load, render_load

MIB = 2**20


def _samples(*mebibytes: float) -> list[tuple[float, int]]:
    return [(float(second), int(size * MIB)) for second, size in enumerate(mebibytes)]


def test_growth_is_that_of_the_line_after_the_first_quarter() -> None:
    assert growth(_samples(0, 50, 100, 100, 100, 100, 100, 100, 100)) == pytest.approx(0, abs=1)
    assert growth(_samples(0, 500, 10, 11, 12, 13, 14, 15, 16)) == pytest.approx(6 * MIB)
    assert growth(_samples(7)) == 0


def test_a_server_holds_its_load_and_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "FOLDER", tmp_path / "out")
    monkeypatch.setattr(load, "BATCH", 16)
    told: list[str] = []
    loaded = measure_load(LoadPlan(1.5, 0.3, probe=0.5, sample=0.1), lambda _done, _total, what: told.append(what))
    assert loaded.wanted == pytest.approx(0.3 * loaded.highest)
    assert loaded.acknowledged == 16 * len(loaded.latencies) > 0
    assert min(loaded.latencies) > 0
    assert len(loaded.memory) > 3
    assert all(octets > 10 * MIB for _, octets in loaded.memory)
    assert loaded.drained is not None
    assert loaded.stored_octets > 0
    shown = io.StringIO()
    report.show_grids(render_load(loaded), Console(file=shown, width=120))
    assert "memory was flat" in shown.getvalue()
    document.write_load(loaded, tmp_path / "load.json")
    assert json.loads((tmp_path / "load.json").read_text())["load"]["acknowledged"] == loaded.acknowledged
