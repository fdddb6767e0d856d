"""The benchmark's command line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import article, document, report
from bench.audit import audit
from bench.growth import sizes_up_to
from bench.load import Loaded, LoadPlan, measure_load, render_load
from bench.measure import Progress as Told
from bench.run import Asked, Results, run
from bench.second import second
from bench.settings import FULL, LIBRARY, NATIVE, QUICK, SUITES, TABLES
from tpsi.errors import TpsiError

_PEER_FOLDER = Path(__file__).resolve().parent.parent / ".venv-peer"
_WIDTH = 160  # in a file or a pipe, where a line has no end

_Found = TypeVar("_Found")


def main() -> None:
    """Parse the command line and run."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback(invoke_without_command=True)(_bench)
    app.command("load")(_load)
    app.command("audit")(audit)
    app.command("second")(second)
    app(prog_name="bench")


def _bench(
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Show in seconds that all of it runs.")] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results for programs, too.")] = None,
    suite: Annotated[list[str] | None, typer.Option(help="ristretto255 or p256; may be repeated.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="fuse or cuckoo; may be repeated.")] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="native or library; may be repeated. By default all that is installed.")
    ] = None,
    repeat: Annotated[int | None, typer.Option(min=1, max=1000, help="Rounds of every measurement.")] = None,
    peer: Annotated[bool, typer.Option(help="Measure openmined-psi beside, in an environment of its own.")] = True,
    cores: Annotated[bool, typer.Option(help="Compare two cores with one.")] = True,
    end_to_end: Annotated[bool, typer.Option(help="Run a server, and upload vouchers to it.")] = True,
    growth: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=10**8, help="Import, build and seal with lists of 10000, 100000, … up to N hashes."
        ),
    ] = None,
    document_in: Annotated[
        Path | None,
        typer.Option("--document", metavar="DIR", help="Write the figures into DIR/benchmark.md, and plots beside it."),
    ] = None,
) -> None:
    """Measure what each step of the protocol costs, per item on one core.

    Everything that goes into docs/benchmark.md: bench --growth 10000000 --document docs
    """
    if context.invoked_subcommand is not None:
        return
    setting = QUICK if quick else FULL
    asked = Asked(
        setting if repeat is None else replace(setting, repeats=repeat),
        [SUITES[name] for name in _chosen(suite, tuple(SUITES), "--suite")],
        _chosen(table, TABLES, "--table"),
        _PEER_FOLDER if peer else None,
        sizes_up_to(growth) if growth else (),
        end_to_end,
        _chosen(backend, (NATIVE, LIBRARY), "--backend") if backend else (),
        cores,
    )
    _guarded(lambda: _run(asked, json, document_in))


def _run(asked: Asked, json: Path | None, document_in: Path | None) -> None:
    if json is not None:
        document.require_writable(json)
    if document_in is not None:
        article.require_writable(document_in)
    results: Results = _watched(lambda told: run(asked, told))
    report.show(results, _console())
    if json is not None:
        document.write(results, json)
    if document_in is not None:
        article.write(results, document_in)


def _load(
    *,
    minutes: Annotated[float, typer.Option(min=0.05, max=10_000, help="How long to keep the load up.")] = 1.0,
    share: Annotated[float, typer.Option(min=0.01, max=1.0, help="Part of the rate that was measured before.")] = 0.7,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results for programs, too.")] = None,
) -> None:
    """Upload to a server for a long time at a share of its highest rate, and watch its memory."""

    def work() -> None:
        if json is not None:
            document.require_writable(json)
        loaded: Loaded = _watched(lambda told: measure_load(LoadPlan(60 * minutes, share), told))
        report.show_grids(render_load(loaded), _console())
        if json is not None:
            document.write_load(loaded, json)

    _guarded(work)


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except TpsiError as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _watched(work: Callable[[Told], _Found]) -> _Found:
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task("starting", total=1)
        return work(lambda done, total, what: shown.update(bar, completed=done, total=total, description=what))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _chosen(given: list[str] | None, known: tuple[str, ...], option: str) -> list[str]:
    """In the order of `known`; all of them if none is given."""
    for name in given or []:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint=option)
    return [name for name in known if not given or name in given]
