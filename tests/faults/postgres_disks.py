"""PostgreSQL's own disk, full for a while: its tables, or its log, on a small file system of their own.

With its tables it goes on, and refuses; without a place for its log it stops, and repairs itself when it is started.
Where none can be mounted, every write is answered as PostgreSQL answers when its disk is full (SQLSTATE 53100).
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from tests.faults.disks import Disk, SmallDisk, small_disk
from tests.support.postgres import PostgresServer

#: A new server's files take 40 MiB, its log a few segments of 1 MiB.
SIZE, LOG_SIZE = 96 << 20, 16 << 20
#: More segments of the log than can lie ready.
_READY = 6
_REFUSE = """
CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
"""
_ON = "CREATE TRIGGER full_disk BEFORE INSERT ON vouchers FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
_OFF = "DROP TRIGGER IF EXISTS full_disk ON vouchers"


class ServersDisk:
    """The disk that a PostgreSQL server's tables are on, or its log."""

    def __init__(self, server: PostgresServer, disk: SmallDisk, *, of_log: bool) -> None:
        self._server, self._disk, self._of_log = server, disk, of_log

    def fill(self, left: int) -> None:
        """See `Disk.fill`. Segments of the log that lie ready are used up."""
        self._disk.fill(left)
        with suppress(OperationalError):
            for _ in range(_READY * self._of_log):
                self._server.execute("SELECT pg_switch_wal(), pg_current_xact_id()")

    def make_room(self) -> None:
        """See `Disk.make_room`: an administrator makes room, and starts the server if it has stopped for want of it."""
        self._disk.make_room()
        self._server.recover()


class PretendedDisk:
    """A disk of which a database says that it is full."""

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(url)

    def fill(self, left: int) -> None:
        """See `Disk.fill`: it is full at once."""
        with self._engine.begin() as connection:
            connection.execute(text(_REFUSE))
            connection.execute(text(_ON))

    def make_room(self) -> None:
        """See `Disk.make_room`."""
        with self._engine.begin() as connection:
            connection.execute(text(_OFF))


@contextmanager
def postgres_on_a_small_disk(*, of_log: bool = False) -> Iterator[tuple[URL, Disk]]:
    """An empty database of a server whose disk can be filled up, that of its tables or of its log, and that disk."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tpsi-full-")))
        place.chmod(0o755)  # PostgreSQL's own account goes through it
        disk = stack.enter_context(small_disk(place / "disk", LOG_SIZE if of_log else SIZE))
        if not disk.mounted:
            url = stack.enter_context(stack.enter_context(PostgresServer(own=True)).database())
            yield url, PretendedDisk(url)
            return
        folders = {"wal" if of_log else "data": disk.path / "files"}
        server = stack.enter_context(PostgresServer(own=True, **folders))
        url = stack.enter_context(server.database())
        yield url, ServersDisk(server, disk, of_log=of_log)
