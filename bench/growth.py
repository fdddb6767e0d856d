"""How time and memory grow with the list: the server's own commands, and a device that seals from their table."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.measure import Progress
from bench.memory import Watch
from bench.stage import HASH_TYPE, SHARING, name
from tpsi.groups import RISTRETTO255_SHA512

_ROOT = Path(__file__).resolve().parent.parent
#: On the disk of the checkout: a folder for temporary files may be in memory, which would count twice.
_FOLDER = _ROOT / "bench-out"
#: Items that a device seals.
SEALED = 4096
_SMALLEST = 10_000


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran: wall-clock seconds, and the most memory that its processes had resident together."""

    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class Grown:
    """A fuse table on ristretto255 of a list of `hashes`: `octets` long, imported and built by `tpsi-server`.

    Sealing `sealed` items from it, on one core, took `seal_seconds` of processor time each; `seal_before_peak` is the
    memory of a device that has verified the table, `seal_peak` what it had at most; None if unknown.
    """

    hashes: int
    octets: int
    imported: Ran
    built: Ran
    sealed: int
    seal_seconds: float
    seal_before_peak: int | None
    seal_peak: int | None


def sizes_up_to(largest: int) -> list[int]:
    """Ten thousand and its tenfolds, and the largest size itself."""
    sizes = [_SMALLEST * 10**n for n in range(10) if _SMALLEST * 10**n < largest]
    return [*sizes, largest]


def measure_growth(sizes: Sequence[int], progress: Progress, sealed: int = SEALED) -> list[Grown]:
    """Import, build and seal for every size; BenchError if a command fails."""
    return [_grow(hashes, progress, sealed) for hashes in sizes]


def _grow(hashes: int, progress: Progress, sealed: int) -> Grown:
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="growth-", dir=_FOLDER) as path:
        folder = Path(path)
        progress(0, 3, f"importing a list of {hashes:,} hashes")
        _write_list(folder / "list.txt", hashes)
        _server(folder, "init", "--name", "benchmark")
        imported = _server(folder, "list", "import", str(folder / "list.txt"), "--source", "list", "--type", HASH_TYPE)
        progress(1, 3, f"building a table of {hashes:,} hashes")
        sharing = ("--threshold", str(SHARING.threshold), "--rows", str(SHARING.rows))
        built = _server(folder, "build", *sharing, "--suite", RISTRETTO255_SHA512, "--synthetic-mode", "none")
        progress(2, 3, f"sealing from a table of {hashes:,} hashes")
        table = folder / "data" / "tables" / "1"
        device = json.loads(_run([sys.executable, "-m", "bench.growth_seal", str(table), str(sealed)], {}))
    figures = device["octets"], imported, built, sealed, device["seconds"], device["before"], device["peak"]
    return Grown(hashes, *figures)


def _write_list(path: Path, hashes: int) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{name('listed', number)}\n" for number in range(hashes))


def _server(folder: Path, *arguments: str) -> Ran:
    """Run a command of `tpsi-server` on the data folder in `folder`."""
    settings = {"TPSI_DATA": str(folder / "data"), "TPSI_PASSPHRASE": "the benchmark keeps no secrets"}
    command = [sys.executable, "-m", "tpsi_server.cli", *arguments]
    start = time.perf_counter()
    with subprocess.Popen(
        command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            with Watch(process) as watch:
                said = process.communicate()[0]
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise BenchError(f"tpsi-server {arguments[0]} failed: {_last(said)}")
    return Ran(time.perf_counter() - start, watch.peak)


def _run(command: Sequence[str], settings: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{command[2]} failed: {_last(done.stderr)}")
    return done.stdout


def _last(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def points(grown: Sequence[Grown]) -> Iterator[tuple[str, list[float]]]:
    """The series that a plot of growth shows: seconds and octets over the sizes."""
    yield "import", [one.imported.seconds for one in grown]
    yield "build", [one.built.seconds for one in grown]
