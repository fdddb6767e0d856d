"""The frame of a command: the status that it ends with, and what is said then."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from tpsi.errors import TpsiError
from tpsi_client.cli.terminal import say, show_notes

_INTERRUPTED = 130


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(f"{context.info_name} {version('tpsi')}")
        raise typer.Exit


#: The option `--version` of a program.
Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
]


def run(app: typer.Typer, *, interrupted: str) -> None:
    """Run a command and exit: 0 done, 1 an error (one line on stderr), 2 wrong usage, 130 interrupted.

    `interrupted`: what is to be said of an interrupted command. Verbs may exit with other statuses.
    """
    program = app.info.name or ""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what gRPC would print is said in better words
    show_notes()
    try:
        app(prog_name=program)
    except TpsiError as error:
        say(f"{program}: {error}")
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"{program}: the system reports: {error.strerror or type(error).__name__}{where}")
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            say(f"{program}: interrupted; {interrupted}")
        raise
