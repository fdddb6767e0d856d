"""The database behind the store: connections, transactions, the schema's version.

Everything that depends on which database it is stands here.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tpsi_server.errors import StoreError
from tpsi_server.store.fairness import FairLock
from tpsi_server.store.schema import SCHEMA_VERSION, metadata, schema_version

#: How long a transaction waits for one of another process, in milliseconds.
BUSY_TIMEOUT = 60_000
#: Octets of pages that a connection keeps in memory.
CACHE = 32 << 20
#: Connections kept, and those that may come on top when many threads read.
POOL_SIZE, POOL_OVERFLOW = 8, 56

#: Values that one query names: below the number of parameters that every SQLite takes.
LOOKUP = 500

_T = TypeVar("_T")
_BEGIN = "tpsi_begin"
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit returns when it is on the disk
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
    f"busy_timeout = {BUSY_TIMEOUT}",
    f"cache_size = -{CACHE >> 10}",
)


class Database:
    """One SQLite database. Thread-safe: threads read side by side, and write one after the other, in turn."""

    def __init__(self, path: Path) -> None:
        """Open an existing database; StoreError if there is none, or it has not the schema that is expected."""
        if not path.exists():
            raise StoreError(f"there is no database at {path}: run `tpsi-server init` first")
        self._start(path)
        try:
            self._check_version(path)
        except BaseException:
            self.close()
            raise

    def _start(self, path: Path) -> None:
        self._engine = _sqlite_engine(path)
        self._immediate = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._turn = FairLock()

    @classmethod
    def create(cls, path: Path) -> "Database":
        """Make a new, empty database; StoreError if there is one already."""
        try:
            path.touch(mode=0o600, exist_ok=False)  # SQLite's files beside it get the same mode
        except FileExistsError:
            raise StoreError(f"there is a database at {path} already") from None
        database = cls.__new__(cls)
        database._start(path)
        with database.write() as connection:
            metadata.create_all(connection)
            connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database; StoreError if the database fails."""
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends, or undone if it raises.

        It has the only right to write from its start, so that what it reads stays true until it commits.
        StoreError if the database fails. Not to be nested.
        """
        with self._turn, _translated(), self._immediate.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections; closing again does nothing."""
        self._engine.dispose()

    def _check_version(self, path: Path) -> None:
        with self.read() as connection:
            if not inspect(connection).has_table(schema_version.name):
                raise StoreError(f"{path} is a database, but not one of tpsi-server")
            version = connection.execute(select(schema_version.c.version)).scalar()
        if version is None or version < SCHEMA_VERSION:
            raise StoreError(f"{path} has schema {version}, this program needs {SCHEMA_VERSION}: restore a newer copy")
        if version > SCHEMA_VERSION:
            raise StoreError(f"{path} has schema {version}, this program knows {SCHEMA_VERSION}: update tpsi-server")


def batched(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Values in lists of at most LOOKUP, for queries that name them."""
    rest = iter(values)
    while some := list(islice(rest, LOOKUP)):
        yield some


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that break a uniqueness rule; returns how many were inserted."""
    if not rows:
        return 0
    statement = sqlite.insert(table).on_conflict_do_nothing()
    options = {"preserve_rowcount": True}
    return connection.execute(statement, list(rows), execution_options=options).rowcount


def _sqlite_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,  # they would show in the text of errors
        connect_args={"timeout": BUSY_TIMEOUT / 1000},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so, and nowhere else
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreError(f"the database failed: {cause}") from error
