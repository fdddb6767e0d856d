"""The verb `hash`: the operator's own pictures become a list."""

import io
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import IO, Annotated

import typer

from tpsi.pictures import SECOND
from tpsi_server.cli.terminal import say, watching
from tpsi_server.errors import OperatorError
from tpsi_server.files import write_atomically
from tpsi_server.hashing import Hashed, Refused, hash_pictures, write_csv

#: Reasons shown; the rest are counted.
_SHOWN = 20


class Form(Enum):
    """How the hashes are written."""

    CSV = "csv"
    LINES = "lines"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("hash")(hash_)


def hash_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A folder of pictures.")],
    *,
    label: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="The type of hash; devices must be able to compute it.")
    ] = "dct80",
    companion: Annotated[
        str,
        typer.Option(
            "--companion",
            metavar="TYPE",
            help="A second hash of another family, beside each, for the check after a reveal; `none` for none.",
        ),
    ] = SECOND,
    form: Annotated[
        Form,
        typer.Option("--format", help="csv: columns TYPE, companion, name, for `list import`; lines: type:hex only."),
    ] = Form.CSV,
    videos: Annotated[
        bool, typer.Option("--videos", help="Videos, too: a hash for each scene. Needs: pip install 'tpsi[video]'")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", dir_okay=False, help="Write here, not to the terminal.")
    ] = None,
) -> None:
    """Hash your own pictures for a list, exactly as devices do.

    Pictures that show too little to be told from others get no hash: they are listed, with the reason, and so are
    files that can't be read. Then: tpsi-server list import FILE --source NAME --companions

    \b
    Example: tpsi-server hash pictures --output hashes.csv
    """
    found: list[Hashed] = []
    refused: list[Refused] = []
    with watching() as progress:
        second = None if companion == "none" else companion
        for one in hash_pictures(folder, label, second, videos=videos, progress=progress):
            if isinstance(one, Hashed):
                found.append(one)
            else:
                refused.append(one)
    _report(refused)
    if not found:
        raise OperatorError(f"{folder} holds no picture that has a {label} hash")
    if output is None:
        _write(sys.stdout, form, label, found)
        return
    written = io.StringIO()
    _write(written, form, label, found)
    try:
        write_atomically(output, written.getvalue().encode())
    except OSError as error:
        raise OperatorError(f"{output} cannot be written ({error.strerror}): name another file") from None
    extra = " --companions" if companion != "none" and form is Form.CSV else ""
    say(f"{len(found)} hashes written to {output}; next: tpsi-server list import {output} --source NAME{extra}")


def _write(stream: IO[str], form: Form, label: str, found: Sequence[Hashed]) -> None:
    if form is Form.CSV:
        write_csv(stream, label, found)
        return
    stream.writelines(f"{one.item}\n" for one in found)


def _report(refused: Sequence[Refused]) -> None:
    for one in refused[:_SHOWN]:
        say(one.reason)
    if len(refused) > _SHOWN:
        say(f"… and {len(refused) - _SHOWN} more")
    if refused:
        say(f"{len(refused)} files have no hash")
