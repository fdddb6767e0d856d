"""Verbs for audits: `audit prepare`, `accept`, `signers`, `absent`, `reveals`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.auditing import (
    absences,
    read_names,
    read_signature,
    require_epoch,
    reveals_export,
    signers,
)
from tpsi_server.auditing import accept as accept_signature
from tpsi_server.auditing import prepare as prepare_package
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Keys, PassphraseFile, folder_of, open_store
from tpsi_server.cli.terminal import show, show_json, watching
from tpsi_server.errors import OperatorError
from tpsi_server.files import check_new_file, write_atomically
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
    """Make the package for an audit of an epoch.

    With it an auditor checks the table: `tpsi-audit verify DIR`. It holds the signed manifest, the table, and a
    proof that the table holds exactly the list and nothing else. The proof opens the key of the table's fill cells,
    and the lists are the lists: give the package to auditors, and to nobody else. Make it while the lists are those
    that the epoch was built from.

    \b
    Example: tpsi-server audit prepare 1 --to package
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

    \b
    Example: tpsi-server audit accept first.signature
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
    """Show the keys of the auditors who have signed an epoch.

    \b
    Example: tpsi-server audit signers 1
    """
    folder = folder_of(data)
    with open_store(folder) as store:
        require_epoch(folder, store, number)
    envelope = read_manifest(epoch_folder(folder, number) / MANIFEST_FILE, folder.identity())
    found = [key.hex() for key in signers(envelope)]
    if as_json:
        show_json(found)
        return
    show(*(found or [f"no auditor has signed epoch {number}"]))


@_audit.command()
def absent(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The names, a type:hex a line.")
    ],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file for names and proof, to be published.")],
    number: Annotated[
        int | None, typer.Option("--epoch", metavar="N", min=1, help="The epoch; by default the newest.")
    ] = None,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove that named hashes are not in a table.

    Everybody who has the table can check that. If one of them is in the table, it is named here, and nothing is
    written. Choose the names yourself: a server that proves what others ask for tells them what is on the list by
    refusing.

    \b
    Example: tpsi-server audit absent innocent.txt --to absent.txt
    """
    folder = folder_of(data, keys)
    names = read_names(file)
    check_new_file(to)
    with open_store(folder) as store, watching() as progress:
        epochs = [record.number for record in store.epochs.all()]
        if not epochs:
            raise OperatorError("there is no table yet: run `tpsi-server build`")
        ring = KeyRing(folder.keys, passphrase(passphrase_file))
        made = absences(folder, store, ring, number or epochs[-1], names, progress=progress)
    write_atomically(to, made, replace=False)
    if as_json:
        show_json({"to": str(to), "names": len(names), "epoch": number or epochs[-1]})
        return
    show(f"that {len(names)} names are not in the table of epoch {number or epochs[-1]} is proved in {to}")


@_audit.command()
def reveals(
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Export which vouchers were revealed, for an auditor.

    The log's commitments to them are in it, too: `tpsi-audit reveals FILE` compares them with the log. It names
    accounts and vouchers; what was revealed is not in it.

    \b
    Example: tpsi-server audit reveals --to reveals.json
    """
    folder = folder_of(data)
    check_new_file(to)
    with open_store(folder) as store:
        value = reveals_export(folder, store)
    write_atomically(to, json.dumps(value, indent=1).encode() + b"\n", replace=False)
    show(f"{len(value['reveals'])} revealed vouchers and {len(value['notices'])} commitments are in {to}")
