"""Options that several verbs have, and what they stand for."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tpsi_server.config import DataFolder
from tpsi_server.errors import OperatorError
from tpsi_server.keys import KeyRing
from tpsi_server.passphrase import ENVIRONMENT, passphrase
from tpsi_server.store import DataKeys, Store

DEFAULT_DATA = Path("tpsi-data")
_KEY = re.compile(r"[0-9a-fA-F]{64}\Z")
#: Names the database, if it is not the one that `server.json` names; the place for a URL with a password.
DATABASE = "TPSI_DATABASE"

Data: TypeAlias = Annotated[
    Path,
    typer.Option("--data", envvar="TPSI_DATA", metavar="DIR", file_okay=False, help="The server's data folder."),
]
Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        envvar="TPSI_KEYS",
        metavar="DIR",
        file_okay=False,
        help="The folder of the encrypted key files, if it is not `keys` in the data folder. Keep it apart: "
        "then a copy of the data opens nothing, whatever the passphrase.",
    ),
]
PassphraseFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        dir_okay=False,
        help=f"Read the passphrase of the key files from FILE, instead of {ENVIRONMENT} or the keyboard.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def public_key_of(text: str) -> bytes:
    """An Ed25519 public key: 64 hexadecimal digits, or a file that holds them."""
    found = text
    if not _KEY.match(found):
        try:
            found = Path(text).read_text("ascii").strip()[:100]
        except (OSError, ValueError):
            found = ""
    if not _KEY.match(found):
        raise OperatorError(f"{text!r} is neither a public key of 64 hexadecimal digits nor a file that holds one")
    return bytes.fromhex(found)


def folder_of(data: Path, keys: Path | None = None) -> DataFolder:
    """The data folder that the options name, with the database that the environment names, if it does."""
    return DataFolder(data, keys, os.environ.get(DATABASE))


def open_store(folder: DataFolder, data_keys: DataKeys | None = None) -> Store:
    """The store of a data folder that was set up."""
    folder.identity()
    return Store.open(folder.location, data_keys)


def data_keys_of(folder: DataFolder, passphrase_file: Path | None) -> DataKeys:
    """The data keys of a folder; the passphrase is asked for when the first of them is."""

    @cache
    def ring() -> KeyRing:
        return KeyRing(folder.keys, passphrase(passphrase_file))

    return lambda number: ring().data_key(number)


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless told not to; no is the end, with status 1."""
    if not yes:
        typer.confirm(question, abort=True, err=True)
