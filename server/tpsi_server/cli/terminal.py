"""The terminal: results on stdout; errors, notes and progress on stderr."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from tpsi.table import Progress

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def show(*lines: str) -> None:
    """Results, line by line."""
    for line in lines:
        typer.echo(line)


def show_json(value: Any) -> None:
    """A result for a program."""
    typer.echo(json.dumps(value, indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Results in columns, as wide as they need. Those whose name begins with `#` hold numbers."""
    lines = [[name.removeprefix("#") for name in columns], *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(columns, line, widths, strict=True)
        padded = (text.rjust(width) if name.startswith("#") else text.ljust(width) for name, text, width in cells)
        typer.echo("  ".join(padded).rstrip())


def say(text: str) -> None:
    """One line on stderr, above a progress bar if there is one."""
    _errors.print(" ".join(text.split()), markup=False)


def moment(seconds: float | None) -> str:
    """A time for people, in UTC; empty for none."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


@contextmanager
def watching() -> Iterator[Progress]:
    """Something to report progress to: bars if a person is watching, else nothing."""
    if not _errors.is_terminal:
        yield lambda _stage, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=_errors, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))
