"""A driver for SQLAlchemy over `apsw`: as much of Python's `sqlite3` module as the store uses."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apsw

sqlite_version_info = tuple(map(int, apsw.sqlite_lib_version().split(".")))
paramstyle, threadsafety = "qmark", 1
version = sqlite_version = apsw.sqlite_lib_version()
Binary = bytes
PARSE_DECLTYPES, PARSE_COLNAMES = 1, 2
Error, Warning = sqlite3.Error, sqlite3.Warning  # noqa: A001 (the names of the standard)
DatabaseError, InterfaceError = sqlite3.DatabaseError, sqlite3.InterfaceError
DataError, IntegrityError, InternalError = sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InternalError
NotSupportedError, OperationalError = sqlite3.NotSupportedError, sqlite3.OperationalError
ProgrammingError = sqlite3.ProgrammingError


class Driver:
    """The module with the file system that connections are to use: SQLAlchemy's `module`."""

    def __init__(self, vfs: str) -> None:
        self._vfs = vfs

    def __getattr__(self, name: str) -> Any:
        return globals()[name]

    def connect(self, path: str, *, timeout: float = 5.0, **_options: Any) -> "Connection":
        """Open a database."""
        return Connection(path, self._vfs, timeout)


class Connection:
    """A connection, whose transactions begin where they are told to."""

    isolation_level: str | None = None

    def __init__(self, path: str, vfs: str, timeout: float) -> None:
        self._connection = apsw.Connection(path, vfs=vfs)
        self._connection.set_busy_timeout(int(timeout * 1000))

    def cursor(self, *_factory: object) -> "Cursor":
        """A cursor."""
        return Cursor(self._connection)

    def create_function(self, name: str, count: int, function: Callable[..., Any], **_options: Any) -> None:
        """Let SQL call a function."""
        self._connection.create_scalar_function(name, function, count)

    def commit(self) -> None:
        """Commit, if there is a transaction."""
        if self._connection.in_transaction:
            self.cursor().execute("COMMIT")

    def rollback(self) -> None:
        """Undo, if there is a transaction."""
        if self._connection.in_transaction:
            self.cursor().execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Cursor:
    """A cursor, which reads all rows at once."""

    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.description: Sequence[Any] | None = None
        self.rowcount, self.lastrowid = -1, 0
        self._rows: list[Any] = []

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "Cursor":
        """Run a statement."""
        before = self._connection.total_changes()
        cursor = self._connection.cursor()
        cursor.exec_trace = self._describe  # the one moment at which columns are known even if there are no rows
        try:
            self._rows = list(cursor.execute(sql, tuple(values)))
        except apsw.ConstraintError as error:
            raise IntegrityError(str(error)) from error
        except apsw.Error as error:
            raise OperationalError(str(error)) from error
        self.rowcount = self._connection.total_changes() - before
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> "Cursor":
        """Run a statement for every row of values."""
        before = self._connection.total_changes()
        for row in rows:
            self.execute(sql, row)
        self.rowcount = self._connection.total_changes() - before
        return self

    def _describe(self, cursor: apsw.Cursor, _sql: str, _values: object) -> bool:
        columns = cursor.get_description()
        self.description = [(name, None, None, None, None, None, None) for name, _ in columns] or None
        return True

    def fetchone(self) -> Any:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        count = size or self.arraysize
        some, self._rows = self._rows[:count], self._rows[count:]
        return some

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        some, self._rows = self._rows, []
        return some

    def close(self) -> None:
        """Drop what was not read."""
        self._rows = []
