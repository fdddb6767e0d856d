"""The benchmark's command line."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import document, report
from bench.audit import audit
from bench.run import Asked, run
from bench.settings import FULL, QUICK, SUITES, TABLES
from tpsi.errors import TpsiError

_PEER_FOLDER = Path(__file__).resolve().parent.parent / ".venv-peer"
_WIDTH = 120  # in a file or a pipe, where a line has no end


def main() -> None:
    """Parse the command line and run."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(_bench)
    app.command("audit")(audit)
    app(prog_name="bench")


def _bench(
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Show in seconds that all of it runs.")] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results for programs, too.")] = None,
    suite: Annotated[list[str] | None, typer.Option(help="ristretto255 or p256; may be repeated.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="fuse or cuckoo; may be repeated.")] = None,
    repeat: Annotated[int | None, typer.Option(min=1, max=1000, help="Rounds of every measurement.")] = None,
    peer: Annotated[bool, typer.Option(help="Measure openmined-psi beside, in an environment of its own.")] = True,
    end_to_end: Annotated[bool, typer.Option(help="Run a server, and upload vouchers to it.")] = True,
    million: Annotated[bool, typer.Option("--million", help="Build a table of a million hashes, too.")] = False,
) -> None:
    """Measure what each step of the protocol costs, per item on one core."""
    if context.invoked_subcommand is not None:
        return
    setting = QUICK if quick else FULL
    asked = Asked(
        setting if repeat is None else replace(setting, repeats=repeat),
        [SUITES[name] for name in _chosen(suite, tuple(SUITES), "--suite")],
        _chosen(table, TABLES, "--table"),
        _PEER_FOLDER if peer else None,
        million,
        end_to_end,
    )
    try:
        _run(asked, json)
    except TpsiError as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _run(asked: Asked, json: Path | None) -> None:
    if json is not None:
        document.require_writable(json)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task("starting", total=1)
        results = run(asked, lambda done, total, what: shown.update(bar, completed=done, total=total, description=what))
    console = Console()
    report.show(results, console if console.is_terminal else Console(width=_WIDTH))
    if json is not None:
        document.write(results, json)


def _chosen(given: list[str] | None, known: tuple[str, ...], option: str) -> list[str]:
    """In the order of `known`; all of them if none is given."""
    for name in given or []:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint=option)
    return [name for name in known if not given or name in given]
