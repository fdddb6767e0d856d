"""What an audit costs: proving and verifying a large table on one core, and proofs that names are absent."""

import json as json_module
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.crew import backends
from bench.errors import BenchError
from bench.machine import this_machine
from bench.settings import TABLES

#: The size for which audits of other systems are published.
HASHES = 2**20
NAMES = 1000
_ROOT = Path(__file__).resolve().parent.parent
_WIDTH = 120

Told = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Audited:
    """What one backend took on one core, ristretto255. Seconds are processor time, peaks resident octets.

    Milliseconds are a name's: `prove_one`, `verify_one` of a proof about it alone, the others of one about many.
    """

    backend: str
    table: str
    hashes: int
    proof_octets: int
    prove_seconds: float
    prove_peak: int | None
    verify_seconds: float
    verify_peak: int | None
    prove_one: float
    verify_one: float
    names: int
    prove_many: float
    verify_many: float
    octets_many: float


def measure_audit(table: str, hashes: int, names: int, chosen: tuple[str, ...], told: Told) -> list[Audited]:
    """Build one table, then prove and verify with every backend, each phase in a process of its own."""
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="tpsi-bench-") as folder:
        _phase(told, backends()[0], "build", folder, str(hashes), table, str(processes))
        return [_audited(folder, backend, table, hashes, names=names, told=told) for backend in chosen]


def _audited(folder: str, backend: str, table: str, hashes: int, *, names: int, told: Told) -> Audited:
    proved = _phase(told, backend, "prove", folder)
    verified = _phase(told, backend, "verify", folder)
    absent = _phase(told, backend, "absence", folder, str(names))
    return Audited(
        backend,
        table,
        hashes,
        proved["octets"],
        proved["seconds"],
        proved["peak"],
        verified["seconds"],
        verified["peak"],
        absent["prove"],
        absent["verify"],
        names,
        absent["prove_many"],
        absent["verify_many"],
        absent["octets_many"],
    )


def _phase(told: Told, backend: str, phase: str, *arguments: str) -> dict[str, Any]:
    told(0, 1, f"{backend}: {phase}")
    result: dict[str, Any] = {}
    for said in _run(backend, phase, *arguments):
        if "stage" in said:
            told(said["done"], said["total"], f"{backend}: {phase}, {said['stage']}")
        else:
            result = said
    return result


def _run(backend: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """What the worker says, as it says it."""
    command = [sys.executable, "-m", "bench.audit_worker", *arguments]
    environment = os.environ | {"TPSI_BACKEND": backend, "TPSI_NATIVE_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in process.stdout or ():
                yield json_module.loads(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise BenchError(f"{arguments[0]} failed (status {process.returncode}): its own words are above")


def render(found: list[Audited]) -> Iterator[Table | str]:
    """For people."""
    grid = Table(title=f"Audit of {found[0].hashes:,} hashes, {found[0].table} table, ristretto255, one core")
    for column in ("", *(audited.backend for audited in found)):
        grid.add_column(column, justify="right" if column else "left")
    for name, show in _ROWS:
        grid.add_row(name, *(show(audited) for audited in found))
    yield grid
    if found[0].hashes != HASHES:
        factor = HASHES / found[0].hashes
        for audited in found:
            yield (
                f"{audited.backend}: extrapolated in proportion to {HASHES:,} hashes, not measured: "
                f"prove {factor * audited.prove_seconds:.0f} s, verify {factor * audited.verify_seconds:.0f} s"
            )


def _memory(octets: int | None) -> str:
    return "unknown" if octets is None else f"{octets / 2**20:,.0f} MiB"


_ROWS: tuple[tuple[str, Callable[[Audited], str]], ...] = (
    ("prove the table", lambda a: f"{a.prove_seconds:.1f} s"),
    ("    peak memory", lambda a: _memory(a.prove_peak)),
    ("verify it", lambda a: f"{a.verify_seconds:.1f} s"),
    ("    peak memory", lambda a: _memory(a.verify_peak)),
    ("proof", lambda a: f"{a.proof_octets} octets"),
    ("prove that one name is absent", lambda a: f"{a.prove_one:.2f} ms"),
    ("verify it", lambda a: f"{a.verify_one:.2f} ms"),
    ("prove it of many, each", lambda a: f"{a.prove_many:.3f} ms"),
    ("verify it, each", lambda a: f"{a.verify_many:.3f} ms"),
    ("proof, each", lambda a: f"{a.octets_many:.1f} octets"),
)


def audit(
    *,
    hashes: Annotated[int, typer.Option(min=1, max=10**8, help="Size of the list.")] = HASHES,
    table: Annotated[str, typer.Option(help="fuse or cuckoo.")] = TABLES[0],
    names: Annotated[int, typer.Option(min=1, max=2**20, help="Absent names that have one proof together.")] = NAMES,
    backend: Annotated[
        list[str] | None, typer.Option(help="native or library; may be repeated. By default all that is installed.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results for programs, too.")] = None,
) -> None:
    """Measure what it costs to prove that a table holds exactly a list, and to verify it, on one core."""
    if table not in TABLES:
        raise typer.BadParameter(f"{table!r} is none of {', '.join(TABLES)}", param_hint="--table")
    for name in backend or ():
        if name not in backends():
            raise typer.BadParameter(f"{name!r} is none of {', '.join(backends())}", param_hint="--backend")
    console = Console()
    console = console if console.is_terminal else Console(width=_WIDTH)
    try:
        found = _watched(table, hashes, names, tuple(backend or backends()))
    except BenchError as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    for part in render(found):
        console.print(part)
    if json is not None:
        machine = this_machine().to_json()
        json.write_text(json_module.dumps({"machine": machine, "audits": [asdict(one) for one in found]}, indent=1))


def _watched(table: str, hashes: int, names: int, chosen: tuple[str, ...]) -> list[Audited]:
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task("starting", total=1)
        return measure_audit(
            table,
            hashes,
            names,
            chosen,
            lambda done, total, what: shown.update(bar, completed=done, total=total, description=what),
        )
