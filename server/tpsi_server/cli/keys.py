"""Verbs for key files: `keys list`, `rotate`, `retire`, `passphrase`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.cli.options import (
    DEFAULT_DATA,
    AsJson,
    Data,
    Keys,
    PassphraseFile,
    Yes,
    confirm,
    folder_of,
    open_store,
)
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table, watching
from tpsi_server.keys import KeyRing, data_key_path
from tpsi_server.passphrase import NEW_ENVIRONMENT, new_passphrase, passphrase
from tpsi_server.rotation import change_all_passphrases, prepare_rotation
from tpsi_server.rotation import retire as retire_key
from tpsi_server.rotation import rotate as rotate_keys


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""Replace the keys of stored data, and the passphrase.

        Shares, recovered keys and what was revealed are encrypted in the database under a data key, which lies in a
        key file of its own: data-1.key, data-2.key, … The secrets of an epoch are new with every `build`.
        """,
    )
    group.command("list")(list_)
    group.command()(rotate)
    group.command()(retire)
    group.command("passphrase")(change)
    app.add_typer(group, name="keys")


def list_(*, data: Data = DEFAULT_DATA, keys: Keys = None, as_json: AsJson = False) -> None:
    """List the data keys.

    It tells since when each is used, how much is sealed under it, and whether its file is here.

    \b
    Example: tpsi-server keys list
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        records = store.data_keys.all()
    rows = [{**asdict(record), "file": data_key_path(folder.keys, record.number).exists()} for record in records]
    if as_json:
        show_json(rows)
        return
    newest = max(record.number for record in records)
    state = {record.number: "in use" if record.number == newest else "old" for record in records}
    state |= {record.number: f"retired {moment(record.retired)}" for record in records if record.retired is not None}
    columns = ["#key", "created (UTC)", "state", "#cells", "file"]
    shown = (
        [
            row["number"],
            moment(row["created"]),
            state[row["number"]],
            row["cells"],
            "here" if row["file"] else "missing",
        ]
        for row in rows
    )
    show_table(columns, shown)


def rotate(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only make the new key file, to be copied to other replicas before the rest."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Encrypt what is stored under a new data key.

    It is used for all that comes from now on, too. Servers may run meanwhile. Interrupted, the same command goes
    on. With several replicas whose key folders are copies: `keys rotate --prepare`, copy the new file to all of
    them, `keys rotate`.

    \b
    Example: tpsi-server keys rotate
    """
    folder = folder_of(data, keys)
    identity = folder.identity()
    ring = KeyRing(folder.keys, passphrase(passphrase_file))
    with open_store(folder, ring.data_key) as store, watching() as progress:
        if prepare:
            number = prepare_rotation(store, ring, folder.keys, identity.list_id)
            show(
                f"{data_key_path(folder.keys, number)} is ready: copy it to all replicas, then: tpsi-server keys rotate"
            )
            return

        def report(done: int, total: int) -> None:
            progress("encrypting anew", done, total)

        done = rotate_keys(store, ring, folder.keys, identity.list_id, report)
    if as_json:
        show_json(asdict(done))
        return
    begun = "the rotation that was interrupted is complete: " if done.resumed else ""
    show(f"{begun}data key {done.number} is in use, {done.cells} cells were encrypted anew")
    if done.damaged:
        say(f"note: {done.damaged} cells are damaged, and were left as they are: restore them from a backup")
    elif done.number > 1:
        show(f"Next, once no backup needs it: tpsi-server keys retire {done.number - 1}")


def retire(
    number: Annotated[int, typer.Argument(metavar="N", help="The key's number: see `tpsi-server keys list`.")],
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    yes: Yes = False,
) -> None:
    """Delete the file of a data key that is no longer used.

    Nothing may be encrypted under it any more. Backups of the database that were made before the rotation can't be
    read without it.

    \b
    Example: tpsi-server keys retire 1
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        confirm(f"Delete {data_key_path(folder.keys, number)}?", yes=yes)
        retire_key(store, folder.keys, number)
    show(f"data key {number} is retired")


def change(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--new-passphrase-file",
            metavar="FILE",
            dir_okay=False,
            help=f"Read the new passphrase from FILE, instead of {NEW_ENVIRONMENT} or the keyboard.",
        ),
    ] = None,
) -> None:
    """Encrypt all key files under another passphrase.

    Interrupted, the same command goes on. Running servers keep the keys that they have opened; restart them with
    the new passphrase. Copies of the old files still open with the old one: remove them.

    \b
    Example: tpsi-server keys passphrase --new-passphrase-file new.txt
    """
    folder = folder_of(data, keys)
    folder.identity()
    old = passphrase(passphrase_file)
    new = new_passphrase(new_passphrase_file)
    count = change_all_passphrases(folder.keys, old, new)
    show(f"{count} key files are encrypted under the new passphrase")
    say("note: restart servers with it, and remove copies of the old files")
