"""One phase of an audit in a process of its own, on one core; it says what that took.

`python -m bench.audit_worker PHASE FOLDER …` with the phases `build` (HASHES, TABLE, PROCESSES), `prove`, `verify` and
`absence` (NAMES), in this order. They leave `table.bin`, `manifest.json`, `secrets.bin` and `proof.bin` in the folder,
and write JSON objects, one a line: how far a phase is, and at last the result.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np

from bench.memory import peak_resident
from bench.stage import describe, listed_hashes, name
from tpsi import ItemHash, Manifest, Secret, TableSecrets, build_table, group
from tpsi.audit import TableProof, prove_absences, prove_table, verify_absences, verify_table
from tpsi.groups import RISTRETTO255_SHA512, Rows
from tpsi.table import canonical_items
from tpsi_server.blinding import ParallelBlinding

SINGLES = 100
_T = TypeVar("_T")


class _Watch:
    """Reports progress, twice a second at most."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if time.monotonic() - self._told > 0.5:
            self._told = time.monotonic()
            _say({"stage": stage, "done": done, "total": total})


def _build(folder: Path, hashes: str, table: str, processes: str) -> dict[str, object]:
    chosen, watch = group(RISTRETTO255_SHA512), _Watch()
    blind = ParallelBlinding(chosen, int(processes), watch) if int(processes) > 1 else None
    built = build_table(chosen, table, listed_hashes(int(hashes)), progress=watch, blind=blind)
    built.table.cells.tofile(folder / "table.bin")
    manifest = describe(chosen.suite, table, built)
    (folder / "manifest.json").write_bytes(manifest.encoded)
    kept = folder / "secrets.bin"
    kept.touch(0o600)
    kept.write_bytes(built.secrets.alpha.reveal() + built.secrets.fill_key.reveal())
    return {"octets": built.table.cells.nbytes}


def _prove(folder: Path) -> Mapping[str, object]:
    manifest = _manifest(folder)
    items = _list(manifest)
    proof, taken = _timed(lambda: prove_table(manifest, _secrets(folder), items, progress=_Watch()))
    (folder / "proof.bin").write_bytes(proof.encode())
    return {**taken, "octets": len(proof.encode())}


def _verify(folder: Path) -> Mapping[str, object]:
    manifest, cells = _manifest(folder), _cells(folder)
    items = _list(manifest)
    proof = TableProof.decode((folder / "proof.bin").read_bytes(), manifest)
    return _timed(lambda: verify_table(manifest, cells, items, proof, progress=_Watch()))[1]


def _absence(folder: Path, names: str) -> dict[str, object]:
    """Milliseconds of a proof about one name, in the middle, and of a name among many that have one proof together."""
    manifest, cells, kept = _manifest(folder), _cells(folder), _secrets(folder)
    hashes = (ItemHash("sha256", bytes.fromhex(name("absent", number))) for number in range(int(names)))
    absent: Sequence[bytes] = list(canonical_items(hashes))
    found: dict[str, list[float]] = {"prove": [], "verify": []}
    for item in absent[:SINGLES]:
        proof, taken = _timed(lambda item=item: prove_absences(manifest, cells, kept, [item]))  # type: ignore[misc]
        found["prove"].append(taken["seconds"])
        checked = _timed(lambda item=item, proof=proof: verify_absences(manifest, cells, [item], proof))  # type: ignore[misc]
        found["verify"].append(checked[1]["seconds"])
    proof, many = _timed(lambda: prove_absences(manifest, cells, kept, absent))
    checked = _timed(lambda: verify_absences(manifest, cells, absent, proof))
    return {
        "prove": 1000 * median(found["prove"]),
        "verify": 1000 * median(found["verify"]),
        "prove_many": 1000 * many["seconds"] / len(absent),
        "verify_many": 1000 * checked[1]["seconds"] / len(absent),
        "octets_many": len(proof.encode()) / len(absent),
    }


def _timed(work: Callable[[], _T]) -> tuple[_T, dict[str, float]]:
    wall, used = time.perf_counter(), time.process_time()
    result = work()
    return result, {"seconds": time.process_time() - used, "wall": time.perf_counter() - wall}


def _manifest(folder: Path) -> Manifest:
    return Manifest.decode((folder / "manifest.json").read_bytes())


def _cells(folder: Path) -> Rows:
    size = _manifest(folder).group.element_size
    return np.memmap(folder / "table.bin", np.uint8, "r").reshape(-1, size)


def _secrets(folder: Path) -> TableSecrets:
    kept = (folder / "secrets.bin").read_bytes()
    return TableSecrets(Secret(kept[:32]), Secret(kept[32:]))


def _list(manifest: Manifest) -> Sequence[bytes]:
    return canonical_items(listed_hashes(manifest.items))


def main() -> None:
    """Do one phase, and report."""
    phase, folder, arguments = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    if phase != "build" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    phases: dict[str, Callable[..., Mapping[str, object]]] = {
        "build": _build,
        "prove": _prove,
        "verify": _verify,
        "absence": _absence,
    }
    _say({**phases[phase](folder, *arguments), "peak": peak_resident()})


def _say(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
