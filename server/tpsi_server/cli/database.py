"""Verbs for the database: `database status`, `migrate`, `check`, `copy`, `use`."""

from typing import Annotated

import typer

from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, folder_of, open_store
from tpsi_server.cli.terminal import show, show_json, watching
from tpsi_server.errors import DataError
from tpsi_server.store import Database, Store, describe, parse_location
from tpsi_server.store.copying import copy_store

Url = Annotated[
    str,
    typer.Argument(metavar="URL", help="postgresql://USER@HOST:PORT/NAME, or the path of an SQLite file."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""Look after the database.

        It is the file tpsi.sqlite3 in the data folder, or what `server.json` names, or what $TPSI_DATABASE names:
        postgresql://USER@HOST:PORT/NAME. The password of a PostgreSQL user comes from ~/.pgpass or $PGPASSWORD, or
        stands in $TPSI_DATABASE; it is never written down or shown.
        """,
    )
    group.command()(status)
    group.command()(migrate)
    group.command()(check)
    group.command()(copy)
    group.command()(use)
    app.add_typer(group, name="database")


def status(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show where the database is, and its schema.

    It says whether that is the one that this version needs. The exit status is 0 either way: ask `database check`
    whether all is well.

    \b
    Example: tpsi-server database status
    """
    folder = folder_of(data)
    folder.identity()
    found, needed = Database.revisions(folder.location)
    facts = {"database": describe(folder.location), "schema": found, "needed": needed, "current": found == needed}
    if as_json:
        show_json(facts)
        return
    show(f"database  {facts['database']}", f"schema    {found}, this version needs {needed}")
    if found != needed:
        show("Next: back it up, stop all servers, then: tpsi-server database migrate")


def migrate(*, data: Data = DEFAULT_DATA) -> None:
    """Bring an earlier version's database to this schema.

    It is done in one transaction. Back it up and stop all servers before. A database that a newer version has made
    is refused.

    \b
    Example: tpsi-server database migrate
    """
    folder = folder_of(data)
    folder.identity()
    before, after = Database.migrate(folder.location)
    show("nothing to do" if before == after else f"schema {before} is now {after}")


def check(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Read the whole database, and check that it is sound.

    That is: pages, indices, references, and the counts of accounts. The exit status is 1 if anything is wrong.

    \b
    Example: tpsi-server database check
    """
    with open_store(folder_of(data)) as store:
        found = store.check()
    if as_json:
        show_json({"problems": found})
    else:
        show(*(found or ["the database is sound"]))
    if found:
        raise DataError(f"the database has {len(found)} faults: restore it from a backup")


def copy(
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql://USER@HOST:PORT/NAME, or a file.")
    ],
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Copy the database into another one, of either kind.

    All of it is copied, or nothing. It is one state of the database: a backup, if servers run. To move to another
    database stop them first, and let them use it afterwards: `database use`. Every row is read again on both sides
    and compared before the copy counts.

    \b
    Example: tpsi-server database copy --to backup.sqlite3
    """
    folder, target = folder_of(data), parse_location(to)
    folder.identity()
    with watching() as progress:
        counts = copy_store(
            folder.location, target, lambda table, done, total: progress(f"copying {table}", done, total)
        )
    if as_json:
        show_json({"to": describe(target), "rows": counts})
        return
    show(f"copied {sum(counts.values())} rows of {len(counts)} tables, and compared them")
    show(f"Next: tpsi-server database use {describe(target)}")


def use(url: Url, *, data: Data = DEFAULT_DATA) -> None:
    """Use another database from now on.

    It is written down in `server.json`, without a password. It must hold this server's data already: see `database
    copy`. Restart all servers afterwards.

    \b
    Example: tpsi-server database use postgresql://tpsi@db/tpsi
    """
    folder, location = folder_of(data), parse_location(url)
    folder.identity()
    Store.open(location).close()
    folder.use_database(location)
    show(f"the database is {describe(location)} from now on")
