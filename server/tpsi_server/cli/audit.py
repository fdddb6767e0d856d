"""Verbs for audits: `audit prepare`, `audit accept`, `audit signers`."""

from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.auditing import accept as accept_signature
from tpsi_server.auditing import prepare as prepare_package
from tpsi_server.auditing import read_signature, require_epoch, signers
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Keys, PassphraseFile, folder_of, open_store
from tpsi_server.cli.terminal import show, show_json, watching
from tpsi_server.keys import KeyRing
from tpsi_server.passphrase import passphrase
from tpsi_server.tables import MANIFEST_FILE, epoch_folder, read_manifest

_audit = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Audits: let others check what the tables hold, and sign them."
)
_NUMBER = typer.Argument(metavar="EPOCH", min=1, help="The epoch's number; see `tpsi-server tables`.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_audit, name="audit")


@_audit.command()
def prepare(
    number: Annotated[int, _NUMBER],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder for the package.")],
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    lists: Annotated[
        bool, typer.Option("--lists/--no-lists", help="Put the list and those of its sources into the package.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Make the package with which an auditor checks an epoch (`tpsi-audit verify DIR`).

    It holds the signed manifest, the table, and a proof that the table holds exactly the list and nothing else. The
    proof opens the key of the table's fill cells, and the lists are the lists: give the package to auditors, and to
    nobody else. Make it while the lists are those that the epoch was built from.
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store, watching() as progress:
        ring = KeyRing(folder.keys, passphrase(passphrase_file))
        made = prepare_package(folder, store, ring, number, to, lists=lists, progress=progress)
    if as_json:
        show_json({"to": str(made.path), "items": made.items, "sources": made.sources})
        return
    show(
        f"the package for epoch {number} with {made.items} hashes is in {made.path}: for auditors, and nobody else",
        f"Next, at the auditor's: tpsi-audit verify {made.path} --list THEIR-COPY --sign-with KEY --to FILE",
        "and here, with what comes back: tpsi-server audit accept FILE",
    )


@_audit.command()
def accept(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The signature file.")],
    *,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Add an auditor's signature to the epoch that it is under.

    Devices get it with their next fetch; a server that is running sees it within a second.
    """
    folder = folder_of(data)
    with open_store(folder) as store:
        manifest, count = accept_signature(folder, store, read_signature(file))
    if as_json:
        show_json({"epoch": manifest.epoch, "auditors": count})
        return
    show(f"epoch {manifest.epoch} now carries the signatures of {count} auditors")


@_audit.command("signers")
def signers_(number: Annotated[int, _NUMBER], *, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show the keys of the auditors who have signed an epoch."""
    folder = folder_of(data)
    with open_store(folder) as store:
        require_epoch(folder, store, number)
    envelope = read_manifest(epoch_folder(folder, number) / MANIFEST_FILE, folder.identity())
    found = [key.hex() for key in signers(envelope)]
    if as_json:
        show_json(found)
        return
    show(*(found or [f"no auditor has signed epoch {number}"]))
