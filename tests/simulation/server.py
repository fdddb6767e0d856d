"""The server of a simulation: the real one, on a disk that survives its deaths, with a clock that the history moves."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.engine import URL

from tests.simulation.flaws import SOUND, Flaw
from tests.support.server_data import COST, add_source
from tests.support.world import md5
from tpsi import Manifest, Secret, Sharing, Synthetic, SyntheticMode
from tpsi_server import DataFolder, Runtime
from tpsi_server.crew import OwnCrew
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.matching import Matcher
from tpsi_server.setup import set_up
from tpsi_server.store.schema import claims, pools

#: Rows of a share: one real share more than is needed makes up for so many synthetic ones.
ROWS = 4
#: A third of all vouchers: enough for every history to have some.
COVER = Synthetic(SyntheticMode.REPLACE, 300_000)
FIRST_THRESHOLD = 2


class SimulatedServer:
    """One server: `runtime` is the process that is alive now."""

    runtime: Runtime

    def __init__(self, place: Path, clock: Callable[[], float], url: URL | None = None, flaw: Flaw = SOUND) -> None:
        self.passphrase = Secret(b"the first passphrase")
        self._place, self._clock, self._flaw, self._lives = place, clock, flaw, 0
        where = None if url is None else url.render_as_string(hide_password=False)
        self._where, self._on_disk = where, url is None
        if not self._folder().is_set_up:
            set_up(self._folder(), "a list", self.passphrase, cost=COST)
        self.open()
        self.runtime.store.retention.set_periods(ids=None)  # until a history says that time has passed

    @property
    def folder(self) -> DataFolder:
        """The data folder."""
        return self.runtime.folder

    def _folder(self) -> DataFolder:
        folder = DataFolder.at(self._place / f"server-{self._lives}")
        return folder if self._where is None else replace(folder, database_at=self._where)

    def open(self) -> None:
        """Start the process."""
        self.runtime = Runtime(self._folder(), self.passphrase, workers=0)
        self.runtime.ingest._clock = self._clock
        self.runtime.log._clock = self._clock
        self._flaw.on_server(self.runtime)

    def restart(self) -> None:
        """Stop the process in good order, and start it again."""
        self.runtime.close()
        self.open()

    def die(self) -> None:
        """Lose the process, and start another on what is on the disk at this moment."""
        if self._on_disk:
            before = self._folder().path
            self._lives += 1
            shutil.copytree(before, self._folder().path)
            self.runtime.close()  # the process that died; nobody looks at its files again
            shutil.rmtree(before)
        else:
            self.runtime.close()
        self.open()

    def keys(self) -> KeyRing:
        """The key files, as a command opens them."""
        return KeyRing(self.folder.keys, self.passphrase, cost=COST)

    def build(self, names: Iterable[int], threshold: int) -> Manifest:
        """Build the next epoch of exactly these names."""
        store = self.runtime.store
        add_source(store, "names", map(md5, names))
        options = BuildOptions(Sharing(threshold, ROWS), COVER)
        manifest = Builder(self.folder, store, self.keys(), processes=1, clock=self._clock).build(options)
        self.runtime.tables.refresh()
        return manifest

    def matcher(self) -> Matcher:
        """A matching process."""
        runtime = self.runtime
        return Matcher(runtime.store, runtime.tables, self.keys(), OwnCrew(), clock=self._clock)

    def end_leases(self) -> None:
        """Let all leases end, for a database that has a clock of its own."""
        if not self._on_disk:
            with self.runtime.store._database.write() as connection:
                connection.execute(update(claims).values(leased_until=0))
                connection.execute(update(pools).where(pools.c.claim.is_not(None)).values(leased_until=0))

    def files(self) -> list[bytes]:
        """The octets of the database's files."""
        return [path.read_bytes() for path in self.folder.path.glob("tpsi.sqlite3*")]
