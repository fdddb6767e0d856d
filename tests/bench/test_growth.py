"""Growth: the server's own commands and a sealing device, on a small list; the memory of families of processes."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench import growth
from bench.errors import BenchError
from bench.growth import measure_growth, sizes_up_to
from bench.memory import Watch, peak_resident, resident
from tpsi.table import geometry


def test_a_list_is_imported_built_and_sealed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "_FOLDER", tmp_path / "out")
    told: list[str] = []
    (found,) = measure_growth([300], lambda _done, _total, what: told.append(what), sealed=8)
    assert (found.hashes, found.octets) == (300, geometry("fuse", 300).cells * 32)
    assert min(found.imported.seconds, found.built.seconds, found.seal_seconds) > 0
    assert any("sealing" in what for what in told)
    for peak in (found.imported.peak, found.built.peak, found.seal_before_peak, found.seal_peak):
        assert peak is None or 10**6 < peak < 10**9
    assert list((tmp_path / "out").iterdir()) == []


def test_sizes_are_tenfolds_up_to_the_largest() -> None:
    assert sizes_up_to(10**6) == [10_000, 100_000, 1_000_000]
    assert sizes_up_to(250_000) == [10_000, 100_000, 250_000]
    assert sizes_up_to(300) == [300]


def test_a_command_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="list failed"):
        growth._server(tmp_path, "list", "import", str(tmp_path / "missing"), "--source", "a")
    with pytest.raises(BenchError, match=r"bench\.growth_seal failed"):
        growth._run([sys.executable, "-m", "bench.growth_seal", str(tmp_path), "1"], {})


def test_memory_of_a_process_counts_those_that_it_started() -> None:
    size = 64 << 20
    child = f"import time; x = b'x' * {size}; print('there', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        try:
            with Watch(process) as watch:
                assert process.stdout is not None
                assert process.stdout.readline() == "there\n"
                assert resident(process.pid) >= size
                deadline = time.monotonic() + 20
                while watch.peak < size and time.monotonic() < deadline:
                    time.sleep(0.02)
        finally:
            for one in psutil.Process(process.pid).children():
                one.kill()
            process.kill()
    assert watch.peak >= size
    assert resident(process.pid) == 0


def test_the_peak_counts_memory_that_was_given_back() -> None:
    size = 64 << 20
    assert len(b"x" * size) == size
    peak = peak_resident()
    assert peak is None or peak >= size


def test_an_unknown_process_has_no_peak() -> None:
    assert peak_resident(2**22 + 1) is None
