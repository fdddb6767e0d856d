"""SQLite: one file, write-ahead log, a commit returns when it is on the disk."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, ExceptionContext

from tpsi_server.errors import StoreError
from tpsi_server.store.fairness import FairLock

#: How long a transaction waits for one of another process, in milliseconds.
BUSY_TIMEOUT = 60_000
#: How long a sweep waits for those who read, in milliseconds: whoever writes waits as long.
SWEEP_TIMEOUT = 500
#: Octets of pages that a connection keeps in memory.
CACHE = 32 << 20
#: Connections kept, and those that may come on top when many threads read.
POOL_SIZE, POOL_OVERFLOW = 8, 56

_BEGIN = "tpsi_begin"
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit returns when it is on the disk
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
    f"busy_timeout = {BUSY_TIMEOUT}",
    f"cache_size = -{CACHE >> 10}",
)


class SqliteBackend:
    """A database in a file. Threads read side by side, and write one after the other, in turn."""

    def __init__(self, path: Path) -> None:
        self.location: Path = path
        self.reading = _engine(path)
        self.writing: Engine = self.reading.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._outside: Engine = self.reading.execution_options(**{_BEGIN: ""})  # of any transaction
        self.missing = f"there is no database at {path}: see --data, or restore it from a backup"
        self._turn = FairLock()

    def exists(self) -> bool:
        """See `Backend.exists`."""
        return self.location.exists()

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """See `Backend.prepared`."""
        try:
            self.location.touch(mode=0o600, exist_ok=False)  # SQLite's files beside it get the same mode
        except FileExistsError:
            raise StoreError(f"there is a file {self.location} already: name another one") from None
        try:
            yield
        except BaseException:
            self.destroy()
            raise

    def destroy(self) -> None:
        """See `Backend.destroy`."""
        self.reading.dispose()
        for ending in ("", "-wal", "-shm"):
            self.location.with_name(self.location.name + ending).unlink(missing_ok=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """See `Backend.turn`."""
        with self._turn:
            yield

    @contextmanager
    def alone(self, purpose: str) -> Iterator[bool]:
        """See `Backend.alone`: the processes of one machine have locks on files for that."""
        yield True

    def insert_new(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
        """See `Backend.insert_new`. Rows go straight to the driver: they are most of what a voucher costs here."""
        options = {"preserve_rowcount": True}
        if any(column.default is not None for column in table.c):
            statement = sqlite.insert(table).on_conflict_do_nothing()
            return connection.execute(statement, list(rows), execution_options=options).rowcount
        text, names = _insertion(table, tuple(rows[0]))
        values = [tuple([row[name] for name in names]) for row in rows]
        return connection.exec_driver_sql(text, values, options).rowcount

    def now(self, connection: Connection, given: int) -> int:
        """See `Backend.now`: the processes of one machine have one clock."""
        return given

    def sweep(self) -> bool:
        """See `Backend.sweep`: the write-ahead log keeps what was written; it goes into the file and is cut off."""
        with self._turn, self._outside.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {SWEEP_TIMEOUT}")
            try:
                busy, _frames, _copied = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        return not busy

    def check(self, connection: Connection) -> list[str]:
        """See `Backend.check`."""
        found = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        return [line for line in found if line != "ok"] + [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in orphans
        ]


@cache
def _insertion(table: Table, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The statement that inserts new rows of some columns, and these in the order of its parameters."""
    compiled = sqlite.insert(table).on_conflict_do_nothing().compile(dialect=sqlite.dialect(), column_keys=columns)
    return str(compiled), tuple(compiled.positiontup or ())


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,  # they would show in the text of errors
        connect_args={"timeout": BUSY_TIMEOUT / 1000},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _stay_connected)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so, and nowhere else
    try:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:  # the file is damaged: it is not to stay locked until somebody clears up
        connection.close()
        raise


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get(_BEGIN, "BEGIN"):
        connection.exec_driver_sql(statement)


def _stay_connected(context: ExceptionContext) -> None:
    """A signal that ends the program between two rows does not break a connection to a file, as one to a server.

    If the connection were given up under them, open results would complain that they cannot be closed.
    """
    if not isinstance(context.original_exception, Exception):
        context.is_disconnect = False
