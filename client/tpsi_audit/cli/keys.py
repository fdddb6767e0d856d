"""The verb `keygen`."""

from pathlib import Path
from typing import Annotated

import typer

from tpsi_audit.cli.options import PassphraseFile
from tpsi_audit.keys import ask_passphrase, make_key
from tpsi_client.cli.terminal import show


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(keygen)


def keygen(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the key.")],
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a key to sign with, under a passphrase, and write its public half to FILE.pub.

    Devices' owners pin the public key: give it to them yourself, on a way that the list's operator does not control.
    """
    public = make_key(file, ask_passphrase(passphrase_file, confirm=True))
    show([f"The key is in {file}, its public half in {file}.pub:", public.hex()])
