"""The cost of an audit: every phase in a process of its own, here for a small list."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_an_audit_is_measured_and_an_extrapolation_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    options = ("--hashes", "300", "--names", "5", "--backend", "library", "--table", "cuckoo", "--json", str(path))
    done = _bench("audit", *options)
    assert done.returncode == 0, done.stderr
    assert "extrapolated" in done.stdout
    (found,) = json.loads(path.read_text())["audits"]
    assert (found["hashes"], found["table"], found["backend"], found["names"]) == (300, "cuckoo", "library", 5)
    assert found["proof_octets"] == 130
    for cost in ("prove_seconds", "verify_seconds", "prove_one", "verify_one", "prove_many", "verify_many"):
        assert found[cost] > 0
    assert found["octets_many"] == 32 + 102 / 5


def test_unknown_tables_and_backends_are_refused_with_the_known_ones() -> None:
    for option, known in (("--table", "cuckoo"), ("--backend", "library")):
        done = _bench("audit", option, "nothing")
        assert done.returncode == 2
        assert known in done.stderr
        assert "Traceback" not in done.stderr
