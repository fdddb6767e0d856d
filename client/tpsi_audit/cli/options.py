"""Options that several verbs have."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tpsi_audit.errors import AuditorError
from tpsi_audit.keys import ENVIRONMENT
from tpsi_client.files import read_bounded

_KEY = re.compile(r"[0-9a-fA-F]{64}\Z")

PassphraseFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        dir_okay=False,
        help=f"Read the passphrase of the key from FILE, instead of {ENVIRONMENT} or the keyboard.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ServerKey: TypeAlias = Annotated[
    str | None,
    typer.Option("--server-key", metavar="KEY", help="The server's key as devices pin it: 64 hexadecimal digits."),
]


def key_of(text: str | None) -> bytes | None:
    """A public key: 64 hexadecimal digits, or a file that holds them."""
    if text is None:
        return None
    found = text if _KEY.match(text) else ""
    if not found and Path(text).is_file():
        found = read_bounded(Path(text), 1024, "key").decode("ascii", "replace").strip()
    if not _KEY.match(found):
        raise AuditorError(f"{text!r} is neither a public key of 64 hexadecimal digits nor a file that holds one")
    return bytes.fromhex(found)
