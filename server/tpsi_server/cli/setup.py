"""Verbs to begin with, and to see where things stand: `init`, `status`."""

import time
from dataclasses import asdict, replace
from typing import Annotated

import typer

from tpsi_server.cli.log import span
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Keys, PassphraseFile, folder_of
from tpsi_server.cli.terminal import moment, show, show_json
from tpsi_server.passphrase import passphrase
from tpsi_server.runtime import Runtime
from tpsi_server.setup import check_free, set_up
from tpsi_server.store import Store, describe


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(init)
    app.command()(status)


def init(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="The list's name, which devices' owners see.")],
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="An empty PostgreSQL database, postgresql://USER@HOST:PORT/NAME, instead of an SQLite file in the "
            "data folder. Its password comes from ~/.pgpass or $PGPASSWORD.",
        ),
    ] = None,
    notify_after: Annotated[
        str,
        typer.Option(
            "--notify-after",
            metavar="TIME",
            help="Tell accounts of reveals so long after them, for example 30d; `tpsi-server log notify --help` says "
            "what that means. By default off.",
        ),
    ] = "off",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a data folder for a new list.

    It has a database and a signing key. The signing key is what devices pin when they enrol: they accept tables of
    this list that it has signed and no others. Keep a copy of the keys folder, and the passphrase, in places of
    their own: without either the server can neither build tables nor match, and with both anybody can be it.

    \b
    Example: tpsi-server init --name "test list"
    """
    folder = folder_of(data, keys)
    if database is not None:
        folder = replace(folder, database_at=database)
    check_free(folder)
    seconds = span(notify_after)
    identity = set_up(folder, name, passphrase(passphrase_file, confirm=True))
    if seconds is not None:
        with Store.open(folder.location) as store:
            store.log.set_notify_after(seconds, time.time())
    show(
        f"data        {folder.path}",
        f"keys        {folder.keys}",
        f"database    {describe(folder.location)}",
        f"list        {identity.list_id.hex()}  {identity.name}",
        f"server key  {identity.server_key.hex()}",
        f"reveals     accounts are {'not told' if seconds is None else f'told after {notify_after}'}",
        "Next: tpsi-server list import FILE --source NAME",
    )


def status(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Counts over the whole server.

    \b
    Example: tpsi-server status
    """
    with Runtime(folder_of(data)) as runtime:
        counts = runtime.status()
        epochs = [epoch for epoch in runtime.tables.all() if not epoch.retired]
    if as_json:
        show_json({**asdict(counts), "epochs_in_force": [epoch.number for epoch in epochs]})
        return
    newest = f"{epochs[-1].number}, built {moment(epochs[-1].manifest.created)}" if epochs else "none: build one"
    show(
        f"list               {counts.list_name}",
        f"newest epoch       {newest}",
        f"accounts           {counts.accounts}",
        f"vouchers received  {counts.vouchers_received}",
        f"vouchers waiting   {counts.vouchers_waiting}",
        f"vouchers set aside {counts.vouchers_failed}",
        f"accounts revealed  {counts.accounts_revealed}",
    )
