"""PostgreSQL's own disk, full for a while: its data folder on a small file system of its own.

Where none can be mounted, every write is answered as PostgreSQL answers when its disk is full (SQLSTATE 53100).
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.faults.disks import Disk, SmallDisk, small_disk
from tests.support.postgres import PostgresServer

#: A new server's files take 40 MiB.
SIZE = 96 << 20
_REFUSE = """
CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
"""
_ON = "CREATE TRIGGER full_disk BEFORE INSERT ON vouchers FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
_OFF = "DROP TRIGGER IF EXISTS full_disk ON vouchers"


class ServersDisk:
    """The disk that a PostgreSQL server's files are on."""

    def __init__(self, server: PostgresServer, disk: SmallDisk) -> None:
        self._server, self._disk = server, disk

    def fill(self, left: int) -> None:
        """See `Disk.fill`."""
        self._disk.fill(left)

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
def postgres_on_a_small_disk() -> Iterator[tuple[URL, Disk]]:
    """An empty database of a server whose disk can be filled up, and that disk."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tpsi-full-")))
        place.chmod(0o755)  # PostgreSQL's own account goes through it
        disk = stack.enter_context(small_disk(place / "disk", SIZE))
        if not disk.mounted:
            url = stack.enter_context(stack.enter_context(PostgresServer(own=True)).database())
            yield url, PretendedDisk(url)
            return
        server = stack.enter_context(PostgresServer(own=True, data=disk.path / "data", small=True))
        url = stack.enter_context(server.database())
        yield url, ServersDisk(server, disk)
