"""The database behind the store: connections, transactions, and the revision of its schema.

Everything that depends on which database it is stands in `sqlite` and `postgres`.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, Table, insert, inspect

from tpsi_server.errors import StoreError
from tpsi_server.store import checks, migrations
from tpsi_server.store.clock import to_stored
from tpsi_server.store.engine import Backend, ConflictError, translated
from tpsi_server.store.location import Location, describe
from tpsi_server.store.schema import REVISION, data_keys, metadata
from tpsi_server.store.sqlite import SqliteBackend

#: Values that one query names: below the number of parameters that every SQLite takes.
LOOKUP = 500
#: How often a transaction is tried that others stand in the way of; the longest pause between two tries, in seconds.
TRIES, LONGEST_PAUSE = 12, 0.5
#: The number of the data key that a new database is written under.
FIRST_DATA_KEY = 1

_T = TypeVar("_T")
_P = ParamSpec("_P")
_BACKEND = "tpsi_backend"


class Database:
    """One database, of either engine. Thread-safe."""

    def __init__(self, location: Location) -> None:
        """Open an existing database; StoreError if there is none, or it has not the schema that is expected."""
        self._start(location)
        try:
            if not self._backend.exists():
                raise StoreError(self._backend.missing)
            with self.read() as connection:
                migrations.check_revision(connection, describe(location))
        except BaseException:
            self.close()
            raise

    def _start(self, location: Location) -> None:
        self._backend = _backend(location)
        options = {_BACKEND: self._backend}
        self._reading = self._backend.reading.execution_options(**options)
        self._writing = self._backend.writing.execution_options(**options)
        #: How many transactions were run again because others stood in their way.
        self.retries = 0

    @classmethod
    def create(cls, location: Location, fill: Callable[[Connection], None] | None = None) -> "Database":
        """Make a new database; StoreError if there is one already.

        It is empty, or what `fill` puts into its tables, in the same transaction.
        """
        database = cls.__new__(cls)
        database._start(location)
        try:
            with database._backend.prepared(), database.write() as connection:
                database._make_schema(connection)
                (fill or _begin_empty)(connection)
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def destroy(cls, location: Location) -> None:
        """Take back `create`, while nobody uses it."""
        backend = _backend(location)
        with translated():
            backend.destroy()
        backend.reading.dispose()

    @classmethod
    def migrate(cls, location: Location) -> tuple[str, str]:
        """Bring a database of an earlier version to this one's schema; the revisions before and after.

        Raises StoreError if there is none, or if its schema is not one that this program knows.
        """
        database = cls.__new__(cls)
        database._start(location)
        try:
            if not database._backend.exists():
                raise StoreError(database._backend.missing)
            with database._backend.alone("migration") as alone, database.write() as connection:
                if not alone:
                    raise StoreError("another process migrates this database: wait for its end")
                return migrations.upgrade(connection, describe(location)), REVISION
        finally:
            database.close()

    @classmethod
    def revisions(cls, location: Location) -> tuple[str | None, str]:
        """The revision of a database's schema, None if it is not one of tpsi-server; and the one that is needed."""
        database = cls.__new__(cls)
        database._start(location)
        try:
            if not database._backend.exists():
                raise StoreError(database._backend.missing)
            with database.read() as connection:
                return migrations.current(connection), REVISION
        finally:
            database.close()

    @property
    def location(self) -> Location:
        """Where it is."""
        return self._backend.location

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database; StoreError if the database fails."""
        with translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends, or undone if it raises.

        On SQLite it has the only right to write from its start, so that what it reads stays true until it commits;
        on PostgreSQL that holds for the rows that it locks (`with_for_update`). StoreError if the database fails,
        ConflictError if it can be run again (see `retrying`). Not to be nested.
        """
        with self._backend.turn(), translated(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def alone(self, purpose: str) -> Iterator[bool]:
        """A block that one process at a time is in, of all that use a PostgreSQL database; False if another one is.

        On SQLite it is always True: processes of one machine lock a file besides.
        """
        with translated(), self._backend.alone(purpose) as alone:
            yield alone

    def probe(self, *, write: bool) -> None:
        """StoreError if the database cannot be read; with `write`, if a little cannot be made durable either."""
        with self.write() if write else self.read() as connection:
            migrations.current(connection)
            if write:
                migrations.touch(connection)

    def sweep(self) -> bool:
        """Let go of what was deleted and lies beside the database yet; False if others stand in the way just now."""
        with translated():
            return self._backend.sweep()

    def check(self) -> list[str]:
        """What is wrong with the database, in words; nothing if it is sound."""
        with self.read() as connection:
            return [*self._backend.check(connection), *checks.miscounted(connection)]

    def close(self) -> None:
        """Close all connections; closing again does nothing."""
        self._backend.reading.dispose()

    def _make_schema(self, connection: Connection) -> None:
        there = set(inspect(connection).get_table_names()) & {*metadata.tables, migrations.VERSION_TABLE}
        if there:
            raise StoreError(f"there is a database at {describe(self.location)} already")
        metadata.create_all(connection)
        migrations.stamp(connection)


def _begin_empty(connection: Connection) -> None:
    connection.execute(insert(data_keys).values(number=FIRST_DATA_KEY, created=to_stored(time.time())))


class _Part(Protocol):
    """A part of the store."""

    _database: Database


_S = TypeVar("_S", bound=_Part)


def retrying(method: Callable[Concatenate[_S, _P], _T]) -> Callable[Concatenate[_S, _P], _T]:
    """A method that is one transaction, run again if others stood in its way, some times at most."""

    @wraps(method)
    def tried(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        for attempt in range(TRIES - 1):
            try:
                return method(self, *args, **kwargs)
            except ConflictError:
                self._database.retries += 1
                longest = min(LONGEST_PAUSE, 0.002 * 2**attempt)
                time.sleep(longest * (1 + secrets.randbelow(1000)) / 1000)
        return method(self, *args, **kwargs)

    return tried


def batched(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Values in lists of at most LOOKUP, for queries that name them."""
    rest = iter(values)
    while some := list(islice(rest, LOOKUP)):
        yield some


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that break a uniqueness rule; returns how many were inserted."""
    return _of(connection).insert_new(connection, table, rows) if rows else 0


def lease_time(connection: Connection, given: int) -> int:
    """The time that leases are counted in, in milliseconds: the given one, or, with replicas, the database's own."""
    return _of(connection).now(connection, given)


def _of(connection: Connection) -> Backend:
    backend: Backend = connection.get_execution_options()[_BACKEND]
    return backend


def _backend(location: Location) -> Backend:
    if isinstance(location, Path):
        return SqliteBackend(location)
    from tpsi_server.store.postgres import PostgresBackend  # SQLAlchemy's part for it takes a while to load

    return PostgresBackend(location)
