"""The SQLite database behind a device's state: opening it safely, and its errors in plain words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from tpsi.errors import TpsiError
from tpsi_client.errors import DiskError, HomeError, LockedError
from tpsi_client.files import PRIVATE_FILE, disk
from tpsi_client.state.schema import SCHEMA_VERSION, metadata

#: Seconds to wait for a reader's snapshot; writers are kept apart by the lock of the folder.
BUSY_TIMEOUT = 5


class Database:
    """One `outbox.sqlite3`. Every commit is on the disk before it returns: WAL, synchronous FULL."""

    def __init__(self, path: Path, *, create: bool, read_only: bool = False) -> None:
        """Raises HomeError if the file is missing, damaged, or of another version; DiskError."""
        self.path = path
        if not path.exists():
            if not create:
                raise HomeError(
                    f"the device's memory is missing ({path}); restore it from a backup. Without it the device "
                    "would seal pictures a second time, which tells the server more than it should learn; "
                    "to accept that, remove the folder and enrol again"
                )
            with disk(path, "make"):
                path.touch(PRIVATE_FILE)
        self._engine = _engine(path, read_only)
        try:
            self._prepare(create)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, rolled back if it raises."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _in_words(self.path, error) from None
        except UnicodeDecodeError:
            raise HomeError(f"{self.path} is damaged; restore it from a backup") from None

    def check(self) -> str:
        """What SQLite finds wrong with the file; empty if it is sound."""
        with self.transaction() as connection:
            found = connection.execute(text("PRAGMA integrity_check(1)")).scalar_one()
        return "" if found == "ok" else str(found)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _prepare(self, create: bool) -> None:
        with self.transaction() as connection:
            found = connection.execute(text("PRAGMA user_version")).scalar_one()
            if found == 0 and create:
                metadata.create_all(connection)
                connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            elif found != SCHEMA_VERSION:
                raise HomeError(
                    f"{self.path} has layout {found}, this program knows layout {SCHEMA_VERSION}; "
                    "use the version of the program that wrote it, or a newer one"
                )


def _engine(path: Path, read_only: bool) -> Engine:
    # One connection stays open: closing the last one makes SQLite move the whole WAL into the database.
    engine = create_engine(f"sqlite:///{path}", pool_size=1, connect_args={"timeout": BUSY_TIMEOUT})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        try:
            _configure(connection, read_only)
        except BaseException:  # the file is damaged: it is not to stay locked until somebody clears up
            connection.close()
            raise

    return engine


def _configure(connection: Any, read_only: bool) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")  # a deleted payload is overwritten, not only unlinked
    if read_only:
        cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _in_words(path: Path, error: DBAPIError) -> TpsiError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskError(f"can't write {path}: the disk is full; make room and try again (nothing was lost)")
    unreadable = isinstance(error.orig, sqlite3.OperationalError) and code == 0  # a text that is none, for example
    if unreadable or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return HomeError(f"{path} is damaged; restore it from a backup")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedError(f"another program is using {path}; try again when it has finished")
    return DiskError(f"can't use {path}: {error.orig}")
