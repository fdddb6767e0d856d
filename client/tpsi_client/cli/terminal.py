"""The terminal: results on stdout; errors, notes and progress on stderr."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from tpsi_client.fetching import Progress
from tpsi_client.local import silent

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def show(lines: Iterable[str]) -> None:
    """Results, line by line."""
    for line in lines:
        typer.echo(line)


def say(text: str) -> None:
    """One line on stderr, above a progress bar if there is one."""
    line = " ".join(text.split())  # what a file or a server is called must not steer the terminal
    _console.print("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line))


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"note: {record.getMessage()}")


def show_notes() -> None:
    """Show what the library logs as warnings: pauses before another attempt, a table that is not sound."""
    log = logging.getLogger("tpsi_client")
    log.handlers = [_Notes(logging.WARNING)]
    log.propagate = False


@contextmanager
def watching(*, octets: bool = False) -> Iterator[Progress]:
    """Something to report progress to: bars if a person is watching, else nothing."""
    if not _console.is_terminal:
        yield silent
        return
    amount = DownloadColumn() if octets else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Bars(*columns, console=_console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report
