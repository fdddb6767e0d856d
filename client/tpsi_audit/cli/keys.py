"""The verbs for keys and what sources sign: `keygen`, `sign-list`."""

from pathlib import Path
from typing import Annotated

import typer

from tpsi.audit import sign_list
from tpsi_audit.cli.options import PassphraseFile
from tpsi_audit.keys import ask_passphrase, load_key, make_key
from tpsi_audit.lists import read_list
from tpsi_client.cli.terminal import show, watching
from tpsi_client.files import write_whole


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(keygen)
    app.command("sign-list")(sign_list_)


def keygen(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the key.")],
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a key to sign with, under a passphrase.

    Its public half goes to FILE.pub. Devices' owners pin the public key: give it to them yourself, on a way that
    the list's operator does not control.

    \b
    Example: tpsi-audit keygen auditor.key
    """
    public = make_key(file, ask_passphrase(passphrase_file, confirm=True))
    show([f"The key is in {file}, its public half in {file}.pub:", public.hex()])


def sign_list_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The list: a type:hex a line."),
    ],
    *,
    sign_with: Annotated[Path, typer.Option("--sign-with", metavar="KEY", help="The source's key.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file for the signature.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Sign your list, as a source.

    So auditors can tell it from what an operator made of it. The signature is under the set of hashes, however they
    are ordered or repeated. Give it to the operator with the list.

    \b
    Example: tpsi-audit sign-list clinic.txt --sign-with clinic.key --to clinic.signature
    """
    key = load_key(sign_with, ask_passphrase(passphrase_file))
    with watching() as progress:
        items = read_list(files, progress)
    write_whole(to, sign_list(items, key).encode(), replace=False)
    show([f"The signature under {len(items)} hashes is in {to}."])
