"""What the store asks of a database engine; SQLite and PostgreSQL answer in modules of their own."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tpsi_server.errors import StoreError
from tpsi_server.store.location import Location

#: SQLSTATEs after which the same transaction may well succeed: serialization failure, deadlock.
_AGAIN = frozenset({"40001", "40P01"})


#: Where SQLAlchemy tells of connections that it could not close properly.
_POOL_LOG = "sqlalchemy.pool.impl.QueuePool"


def _is_news(record: logging.LogRecord) -> bool:
    """Not so if a command is being ended (SIGTERM, SIGINT) while it reads: that its connection is cut is meant so."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or isinstance(error.__context__ or error, Exception)


logging.getLogger(_POOL_LOG).addFilter(_is_news)


class ConflictError(StoreError):
    """Two transactions stood in each other's way, and this one was undone: it can be run again."""


class Backend(Protocol):
    """One database of one engine."""

    #: Connections for transactions that read, and for those that write.
    reading: Engine
    writing: Engine
    #: What this engine calls the absence of a database, and what to do then.
    missing: str

    def exists(self) -> bool:
        """Whether there is something that can be opened."""
        ...

    @property
    def location(self) -> Location:
        """Where it is."""
        ...

    def prepared(self) -> AbstractContextManager[None]:
        """A block that makes a new database, or nothing if it raises; StoreError if there is one already."""
        ...

    def destroy(self) -> None:
        """Remove what a new database consists of."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """A block that a transaction that writes is in, when its turn has come."""
        ...

    def alone(self, purpose: str) -> AbstractContextManager[bool]:
        """A block that only one process at a time is in; False if another one is. It ends with the process."""
        ...

    def insert_new(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
        """Insert rows, leaving out those that break a uniqueness rule; returns how many were inserted."""
        ...

    def now(self, connection: Connection, given: int) -> int:
        """The time that leases are counted in, in milliseconds: the given one, or the database's own."""
        ...

    def sweep(self) -> bool:
        """Let go of what was deleted and lies beside the database yet; False if others stand in the way just now."""
        ...

    def check(self, connection: Connection) -> list[str]:
        """What the engine itself finds wrong with the database; nothing if it is sound."""
        ...


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the database as StoreError, whose chain shows no value that was to be stored."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        kind = ConflictError if _state(error) in _AGAIN else StoreError
        _scrub(error)
        raise kind(f"the database failed: {cause}") from error


def _state(error: SQLAlchemyError) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def _scrub(error: SQLAlchemyError) -> None:
    """Cut the lines off in which PostgreSQL names values ("DETAIL: Key (name)=(…) already exists")."""
    for one in (error, getattr(error, "orig", None)):
        if one is not None and one.args and isinstance(one.args[0], str):
            one.args = (one.args[0].partition("\n")[0], *one.args[1:])
