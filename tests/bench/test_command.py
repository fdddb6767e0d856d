"""The command: the quick setting measures everything once, and says so to programs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.crew import backends
from bench.settings import LIBRARY, NATIVE, QUICK, SUITES, TABLES

ROOT = Path(__file__).resolve().parent.parent.parent


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the quick setting prints, and its document."""
    path = tmp_path_factory.mktemp("bench") / "quick.json"
    done = _bench("--quick", "--no-peer", "--json", str(path))
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(path.read_text())


def test_the_quick_run_has_every_cost_of_both_suites_and_tables(quick: tuple[str, dict[str, Any]]) -> None:
    costs = quick[1]["costs"]
    found = {(c["suite"], c["table"], c["operation"], c["parameters"].get("associated_bytes")) for c in costs}
    for suite in SUITES.values():
        assert {(suite, None, step, None) for step in ("scalar multiplication", "hash to group", "blind")} <= found
        for table in TABLES:
            assert {(suite, table, step, None) for step in ("encode", "blind and encode", "match")} <= found
            assert {(suite, table, "seal", 0), (suite, table, "seal", 4096)} <= found
    assert sum(c["operation"] == "reveal" for c in costs) == len(QUICK.examined)


def test_every_cost_is_positive_in_every_round(quick: tuple[str, dict[str, Any]]) -> None:
    for cost in quick[1]["costs"]:
        spread = cost["microseconds"]
        assert 0 < spread["lower_quartile"] <= spread["median"] <= spread["upper_quartile"]
        assert len(cost["samples"]) == QUICK.repeats
        assert min(cost["samples"]) > 0
        assert (cost["scalar_multiplications"] is None) == (cost["suite"] is None)


def test_sizes_are_those_of_the_specification(quick: tuple[str, dict[str, Any]]) -> None:
    million = {(t["suite"], t["table"]): t["octets_per_hash"] for t in quick[1]["tables"] if t["hashes"] == 10**6}
    assert len(million) == len(SUITES) * len(TABLES)
    assert million[SUITES["ristretto255"], "fuse"] <= 36.5
    vouchers = {(v["suite"], v["table"], v["associated"]): v["octets"] for v in quick[1]["vouchers"]}
    assert vouchers[SUITES["ristretto255"], "fuse", 0] <= 300
    assert len(vouchers) == 2 * len(million)


def test_uploads_to_a_server_have_rates_for_both_suites_and_tables(quick: tuple[str, dict[str, Any]]) -> None:
    uploads = quick[1]["uploads"]
    assert {(u["suite"], u["table"]) for u in uploads} == {(s, t) for s in SUITES.values() for t in TABLES}
    for rate in ("acknowledged_per_second", "store_alone_per_second", "matched_per_second"):
        assert all(u[rate]["median"] > 0 for u in uploads)


def test_two_cores_are_compared_with_one(quick: tuple[str, dict[str, Any]]) -> None:
    if quick[1]["machine"]["cores"] < 2:
        assert quick[1]["scaling"] == []
        return
    assert {row["operation"] for row in quick[1]["scaling"]} == {"blind", "blind and encode", "seal", "match"}
    assert all(row["two_to_one"]["median"] > 0 for row in quick[1]["scaling"])


def test_every_installed_backend_is_measured(quick: tuple[str, dict[str, Any]]) -> None:
    found = {c["backend"] for c in quick[1]["costs"] if c["suite"] == SUITES["ristretto255"]}
    assert found == ({"native", "libsodium"} if backends() == (NATIVE, LIBRARY) else {"libsodium"})


def test_the_run_says_what_it_was_made_on(quick: tuple[str, dict[str, Any]]) -> None:
    machine = quick[1]["machine"]
    assert machine["cores"] >= 1
    assert machine["processor"]
    assert machine["versions"]["libsodium"]
    assert machine["commit"] == "unknown" or len(machine["commit"]) == 40
    assert machine["commit"] in quick[0]


def test_a_peer_that_was_left_out_is_named(quick: tuple[str, dict[str, Any]]) -> None:
    assert "openmined-psi was not measured" in quick[0]
    assert quick[1]["peer"]["missing"]


def test_filters_leave_out_the_other_suite_and_table(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    arguments = ("--quick", "--no-peer", "--no-end-to-end", "--no-cores", "--repeat", "1")
    assert _bench(*arguments, "--suite", "ristretto255", "--table", "cuckoo", "--json", str(path)).returncode == 0
    found = json.loads(path.read_text())
    costs = found["costs"]
    assert {cost["suite"] for cost in costs} == {SUITES["ristretto255"], None}
    assert {cost["table"] for cost in costs} == {"cuckoo", None}
    assert all(len(cost["samples"]) == 1 for cost in costs)
    assert found["uploads"] == []


def test_an_unknown_suite_is_refused_with_the_known_ones() -> None:
    done = _bench("--suite", "p384")
    assert done.returncode == 2
    assert "p256" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    done = _bench("--quick", "--no-peer", "--json", str(tmp_path / "missing" / "file.json"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
