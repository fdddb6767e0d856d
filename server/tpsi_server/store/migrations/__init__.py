"""Migrations: the steps from every earlier schema to this one, in Alembic's terms, inside the package.

To change the schema: change `schema.py`; add `versions/rNNNN_what.py` with `revision`, `down_revision` (the newest
until now) and `upgrade()`; set `schema.REVISION` to the new one. `tests/server/test_migrations.py` fails until the
migrated schema is that of `schema.py` on both engines. If two changes meet, the later one names the other as the one
before it. A revision that was released is never changed.
"""

from sqlalchemy import Connection, inspect, text

from tpsi_server.errors import StoreError
from tpsi_server.store.schema import REVISION

#: The table that holds the revision of a database's schema, as Alembic keeps it.
VERSION_TABLE = "tpsi_schema"


def check_revision(connection: Connection, where: str) -> None:
    """StoreError unless the database has this program's schema: in other words if it is foreign, older or newer."""
    found = current(connection)
    if found == REVISION:
        return
    _check_known(found, where)
    advice = "back it up, then run `tpsi-server database migrate`"
    raise StoreError(f"{where} has schema {found}, this program needs {REVISION}: {advice}")


def current(connection: Connection) -> str | None:
    """The revision of a database's schema; None if it is not one of tpsi-server."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 (a constant)


def touch(connection: Connection) -> None:
    """Write the revision that is there: nothing changes, but the database has to write."""
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))  # noqa: S608 (a constant)


def upgrade(connection: Connection, where: str) -> str:
    """Bring a database to the newest revision, in the transaction at hand; the revision that it had.

    Raises StoreError if there is no schema of tpsi-server there, or one that this program does not know.
    """
    from tpsi_server.store.migrations import steps

    before = _check_known(current(connection), where)
    steps.run(connection, VERSION_TABLE)
    return before


def stamp(connection: Connection) -> None:
    """Write down that a database was just made with this program's schema."""
    key = f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)"
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, {key})"))
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:revision)"), {"revision": REVISION})  # noqa: S608


def _check_known(found: str | None, where: str) -> str:
    from tpsi_server.store.migrations import steps

    if found is None:
        raise StoreError(f"{where} is a database, but not one of tpsi-server")
    if found not in steps.known():
        raise StoreError(f"{where} has schema {found}, this program knows {REVISION}: update tpsi-server")
    return found
