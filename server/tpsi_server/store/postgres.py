"""PostgreSQL: many server processes, on many machines, over one database.

A transaction that reads sees one state of the database (REPEATABLE READ, read-only). One that writes runs under READ
COMMITTED and locks the rows that it decides by, in an order that all transactions keep; what still collides is
undone by the database and run again (`retrying`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from tpsi_server.errors import StoreError
from tpsi_server.store.location import describe
from tpsi_server.store.migrations import VERSION_TABLE
from tpsi_server.store.schema import metadata

#: Connections kept, and those that may come on top when many threads read.
POOL_SIZE, POOL_OVERFLOW = 8, 24
#: Seconds that a connection may take to be made.
CONNECT_TIMEOUT = 10

#: Settings without which a commit is not on the disk when it returns, or not whole after a power cut.
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class PostgresBackend:
    """A database of a PostgreSQL server. Threads and processes write side by side."""

    def __init__(self, url: URL) -> None:
        self.location: URL = url
        self._engine = _engine(url)
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self.reading: Engine = self._engine.execution_options(**options)
        self.writing: Engine = self._engine.execution_options(isolation_level="READ COMMITTED")
        self.missing = f"there is nothing at {describe(url)}: run `tpsi-server init --database URL` first"

    def exists(self) -> bool:
        """See `Backend.exists`; StoreError if the server cannot be reached, or does not keep what it acknowledges."""
        try:
            self.reading.connect().close()
        except OperationalError as error:
            cause = str(error.orig).splitlines()[0]
            raise StoreError(f"{describe(self.location)} cannot be reached: {cause}") from None
        return True

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """See `Backend.prepared`: the database itself is made by its administrator, and the tables appear at once."""
        self.exists()
        yield

    def destroy(self) -> None:
        """See `Backend.destroy`."""
        with self.writing.begin() as connection:
            metadata.drop_all(connection)
            connection.execute(text(f"DROP TABLE IF EXISTS {VERSION_TABLE}"))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """See `Backend.turn`: nobody waits."""
        yield

    @contextmanager
    def alone(self, purpose: str) -> Iterator[bool]:
        """See `Backend.alone`: an advisory lock, which the server drops with the connection."""
        number = int.from_bytes(hashlib.sha256(f"tpsi {purpose}".encode()).digest()[:8], "big", signed=True)
        lock, unlock = (text(f"SELECT pg_{what}(:number)") for what in ("try_advisory_lock", "advisory_unlock"))
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            got = connection.execute(lock, {"number": number}).scalar_one()
            try:
                yield bool(got)
            finally:
                with suppress(DBAPIError):  # at once: PostgreSQL notices only after a while that a session has ended
                    if got:
                        connection.execute(unlock, {"number": number})
                connection.invalidate()  # the lock ends with the session, even if it cannot be asked any more

    def insert_new(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
        """See `Backend.insert_new`. Waits for transactions that insert the same, and sees what became of them."""
        statement = postgresql.insert(table).on_conflict_do_nothing()
        options = {"preserve_rowcount": True}
        return connection.execute(statement, list(rows), execution_options=options).rowcount

    def now(self, connection: Connection, given: int) -> int:
        """See `Backend.now`: the database's clock, so that replicas whose clocks differ agree about leases."""
        moment = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        return int(connection.execute(moment).scalar_one())

    def sweep(self) -> bool:
        """See `Backend.sweep`: the server does that by itself, when it vacuums and when it recycles its log."""
        return True

    def check(self, connection: Connection) -> list[str]:
        """See `Backend.check`: constraints that were not validated, indices that are not usable."""
        constraints = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
        indices = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        return [
            *(f"the constraint {name} was never checked" for name in connection.exec_driver_sql(constraints).scalars()),
            *(f"the index {name} is not usable: REINDEX it" for name in connection.exec_driver_sql(indices).scalars()),
        ]


def _engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_pre_ping=True,  # connections that a restart of the database cut are replaced before they are used
            hide_parameters=True,  # they would show in the text of errors
            connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "tpsi-server"},
        )
    except ImportError:
        raise StoreError("PostgreSQL needs the driver psycopg: pip install 'tpsi[postgres]'") from None
    event.listen(engine, "connect", _check_durable)
    return engine


def _check_durable(connection: Any, _record: object) -> None:
    """StoreError if this server acknowledges what it may lose."""
    with connection.cursor() as cursor:
        for name in _DURABLE:
            if cursor.execute(f"SHOW {name}").fetchone()[0] == "off":
                connection.close()
                raise StoreError(
                    f"the PostgreSQL server has {name} = off: it would lose vouchers that were acknowledged. "
                    f"Set {name} = on (postgresql.conf, ALTER ROLE or ALTER DATABASE), then start again"
                )
    connection.rollback()
