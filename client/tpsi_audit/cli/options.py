"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tpsi_audit.errors import AuditorError
from tpsi_audit.keys import ENVIRONMENT
from tpsi_client.cli.options import key_in

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
    found = key_in(text)
    if found is None:
        raise AuditorError(f"{text!r} is neither a public key of 64 hexadecimal digits nor a file that holds one")
    return found
