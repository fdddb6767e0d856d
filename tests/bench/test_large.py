"""The large table: built and sealed from in processes of their own, here with a small one."""

from pathlib import Path

import pytest

from bench import large
from bench.errors import BenchError
from bench.large import measure_large
from bench.memory import peak_resident
from tpsi.table import geometry


def test_a_table_is_built_and_sealed_from_in_other_processes() -> None:
    told: list[str] = []
    found = measure_large(600, lambda _done, _total, what: told.append(what), sealed=8)
    assert found.octets == geometry("fuse", 600).cells * 32
    assert found.build_seconds > 0
    assert found.seal_seconds > 0
    assert any("sealing" in what for what in told)
    for peak in (found.build_peak, found.seal_before_peak, found.seal_peak):
        assert peak is None or 10**6 < peak < 10**9


def test_a_process_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"bench\.large_seal failed"):
        list(large._run("bench.large_seal", str(tmp_path), "1"))


def test_the_peak_counts_memory_that_was_given_back() -> None:
    size = 64 << 20
    assert len(b"x" * size) == size
    peak = peak_resident()
    assert peak is None or peak >= size


def test_an_unknown_process_has_no_peak() -> None:
    assert peak_resident(2**22 + 1) is None
