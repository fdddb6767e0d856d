"""The command line of the measurement."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from recall import charts, page, report
from recall.corpus import Sample, of_folder, packaged
from recall.costs import costs as cost_table
from recall.errors import RecallError
from recall.run import BITS, HARD_PER_KIND, Results, run
from tpsi.errors import TpsiError

_QUICK_PICTURES, _QUICK_HARD = 6, 2


def main() -> None:
    """Parse the command line and run."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(_recall)
    app(prog_name="recall")


def _recall(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Your own pictures, different ones. Without: regions of the few photographs that scikit-image ships.",
        ),
    ] = None,
    *,
    types: Annotated[
        str, typer.Option("--types", metavar="TYPE,...", help=f"Hash types, of {', '.join(BITS)}.")
    ] = "dct80,dct64,dct100,phash,pdq",
    most: Annotated[int, typer.Option("--most", metavar="N", min=2, help="Take N pictures of the folder.")] = 2000,
    output: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results for programs: tpsi-plan reads it.")
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", metavar="DIR", exists=True, help="Write recall.md and its plots into a folder."),
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="By default all processors.")] = None,
    costs: Annotated[
        int | None,
        typer.Option(
            "--costs",
            metavar="N",
            min=2,
            help="Only measure what probes cost: octets, sealing, and separating a list of N hashes.",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Show in seconds that all of it runs.")] = False,
) -> None:
    """Measure what perceptual hashes find of changed copies, and what they find by mistake.

    Nineteen harmless changes are made to every picture; counted is whether the copy's probes hold the picture's hash.
    False matches are counted between different pictures, and between degenerate ones that the program draws.
    """
    console = Console(stderr=True)
    if costs is not None:
        for line in cost_table(costs):
            print(line)
        return
    try:
        samples = packaged() if folder is None else of_folder(folder, most)
        chosen = _chosen(types)
        hard = HARD_PER_KIND
        if quick:
            samples, hard = samples[:_QUICK_PICTURES], _QUICK_HARD
        results = _run(samples, chosen, hard, processes or os.cpu_count() or 1, console)
        for line in (*report.tables(results), "", report.caveat(results)):
            print(line)
        if output is not None:
            _write(output, json.dumps(report.document(results), indent=1) + "\n")
        if document is not None:
            charts.draw(results, document)
            _write(document / "recall.md", page.page(results, packaged=folder is None))
    except TpsiError as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _run(samples: list[Sample], types: list[str], hard: int, processes: int, console: Console) -> Results:
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        bar = shown.add_task("pictures", total=None)
        return run(samples, types, hard, processes, lambda done, total: shown.update(bar, completed=done, total=total))


def _chosen(types: str) -> list[str]:
    named = [word.strip() for word in types.split(",") if word.strip()]
    for name in named:
        if name not in BITS:
            raise RecallError(f"{name!r} is none of {', '.join(BITS)}")
    if not named:
        raise RecallError("name at least one hash type")
    return list(dict.fromkeys(named))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecallError(f"{path} cannot be written ({error.strerror}): name another file") from None
