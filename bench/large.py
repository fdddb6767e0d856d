"""A table of a million hashes: time and memory to build it and to seal from it, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.measure import Progress

MILLION = 1_000_000
_ROOT = Path(__file__).resolve().parent.parent
_SEALED = 4096


@dataclass(frozen=True, slots=True)
class Large:
    """What a large fuse table on ristretto255 took. Memory is resident, in octets, at its peak; None if unknown.

    `build_workers_peak`: that of all `processes` which blind, together. `seal_before_peak`: of a device with the table
    verified and mapped, before it sealed `sealed` items at `seal_seconds` of processor time each.
    """

    hashes: int
    octets: int
    processes: int
    build_seconds: float
    build_peak: int | None
    build_workers_peak: int | None
    sealed: int
    seal_seconds: float
    seal_before_peak: int | None
    seal_peak: int | None


def measure_large(hashes: int, progress: Progress, sealed: int = _SEALED) -> Large:
    """Build, then seal; BenchError if one of the processes fails."""
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="tpsi-bench-") as folder:
        built: dict[str, Any] = {}
        progress(0, 1, f"building a table of {hashes:,} hashes")
        for said in _run("bench.large_build", folder, str(hashes), str(processes)):
            if "stage" in said:
                progress(said["done"], said["total"], f"{hashes:,} hashes: {said['stage']}")
            else:
                built = said
        progress(0, 1, f"sealing from a table of {hashes:,} hashes")
        (device,) = _run("bench.large_seal", folder, str(sealed))
    return Large(
        hashes,
        built["octets"],
        processes,
        built["seconds"],
        built["peak"],
        built["workers_peak"] or None,
        sealed,
        device["seconds"],
        device["before"],
        device["peak"],
    )


def _run(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """What a module of ours says, as it says it."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                yield json.loads(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise BenchError(f"{module} failed (status {process.returncode}): its own words are above")
