"""A process of its own that builds a large table as a server does, and says what that took.

`python -m bench.large_build FOLDER HASHES PROCESSES` leaves `table.bin` and `manifest.json` in the folder. It writes
JSON objects, one a line: how far it is, and at last the result.
"""

import json
import multiprocessing
import sys
import time
from pathlib import Path

from bench.memory import peak_resident
from bench.stage import describe, listed_hashes
from tpsi import build_table, group
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.table import FuseGeometry
from tpsi_server.blinding import ParallelBlinding


class _Watch:
    """Reports progress, and looks at the workers' memory while there are workers."""

    def __init__(self) -> None:
        self.workers: dict[int, int] = {}
        self._told = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        for child in multiprocessing.active_children():
            if child.pid is not None and (peak := peak_resident(child.pid)) is not None:
                self.workers[child.pid] = peak
        if time.monotonic() - self._told > 0.5:
            self._told = time.monotonic()
            _say({"stage": stage, "done": done, "total": total})


def main() -> None:
    """Build, write, report."""
    folder, hashes, processes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    watch, chosen, encoding = _Watch(), group(RISTRETTO255_SHA512), FuseGeometry.encoding
    start = time.perf_counter()
    blind = ParallelBlinding(chosen, processes, watch)
    built = build_table(chosen, encoding, listed_hashes(hashes), progress=watch, blind=blind)
    built.table.cells.tofile(folder / "table.bin")
    taken = time.perf_counter() - start
    (folder / "manifest.json").write_bytes(describe(chosen.suite, encoding, hashes, built).encoded)
    peaks = {"peak": peak_resident(), "workers_peak": sum(watch.workers.values())}
    _say({"seconds": taken, "octets": built.table.cells.nbytes, **peaks})


def _say(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
