"""The devices of a simulation: the real ones, each in a folder that survives its deaths."""

import random
import shutil
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import func, select

from tests.simulation.flaws import Flaw
from tests.simulation.network import Line, Network
from tests.support.world import md5
from tpsi import Item, SealedBatch
from tpsi_client import Choices, Patience
from tpsi_client.device import AsyncDevice
from tpsi_client.enrolling import enrol
from tpsi_client.enrolment import Enrolment
from tpsi_client.home import Home
from tpsi_client.local import LocalDevice
from tpsi_client.service import Service
from tpsi_client.state.schema import epoch, voucher

#: Two attempts, and nobody waits.
HASTE = Patience(attempts=2, first=0.0, longest=0.0)
#: The size class of all vouchers: as small as it gets.
SIZE_CLASS = 8
_ROWS = select(voucher.c.voucher_id, voucher.c.state, voucher.c.payload)
_NEWEST = select(func.max(epoch.c.number))


class Connected(AsyncDevice):
    """A device whose connections are those of the simulation."""

    line: Line

    def _service(self) -> Service:
        return self.line


class SimulatedDevice:
    """One device: `process` is the one that is alive now."""

    process: Connected

    def __init__(
        self, name: str, account: str, place: Path, enrolment: Enrolment, *, network: Network, flaw: Flaw
    ) -> None:
        self.name, self.account = name, account
        self._place, self._enrolment, self._network, self._flaw, self._lives = place, enrolment, network, flaw, 0

    @property
    def home(self) -> Path:
        """The device's folder."""
        return self._place / f"{self.name}-{self._lives}"

    @property
    def _backup(self) -> Path:
        return self._place / f"{self.name}-backup"

    @property
    def local(self) -> LocalDevice:
        """The half of it that needs no network."""
        return self.process.local

    def line(self, rng: random.Random) -> Line:
        """A connection to the server."""
        return Line(self._network, self._enrolment.endpoint, self.name, self.account, rng)

    async def enrol(self) -> None:
        """Enrol, over a connection that is in order."""
        self.home.mkdir(mode=0o700)
        calm, self._network.calm = self._network.calm, True
        await enrol(self.line(random.Random(0)), Home(self.home), self._enrolment, Choices(size_class=SIZE_CLASS))
        self.open()
        await self.fetch(random.Random(0))
        self._network.calm = calm

    def open(self) -> None:
        """Start the process."""
        self.process = Connected(LocalDevice.open(self.home), HASTE)
        self._flaw.on_device(self.local)

    def die(self) -> None:
        """Lose the process, and start another on what is on the disk at this moment."""
        before = self.home
        self._lives += 1
        shutil.copytree(before, self.home)
        self.process.close()
        shutil.rmtree(before)
        self.open()

    def back_up(self) -> None:
        """Copy the folder."""
        shutil.rmtree(self._backup, ignore_errors=True)
        shutil.copytree(self.home, self._backup)

    def restore(self) -> None:
        """Put the copy back in the place of the folder."""
        self.process.close()
        shutil.rmtree(self.home)
        self._lives += 1
        shutil.copytree(self._backup, self.home)
        self.open()

    def seal(self, names: list[int]) -> tuple[SealedBatch, list[bytes]]:
        """Seal items into the outbox, as `queue` does; the vouchers, and the associated data of each."""
        salt = f"{self.name} {len(names)} {random.SystemRandom().getrandbits(64)}"
        items = [
            Item(str(name).encode(), (md5(name),), f"{salt} {place} {name}".encode())
            for place, name in enumerate(names)
        ]
        batch = self.local.sealer().seal(items, queue=True)
        return batch, [items[one.item].associated for one in batch.vouchers]

    async def fetch(self, rng: random.Random) -> None:
        """Bring the newest table here."""
        self.process.line = self.line(rng)
        await self.process.fetch()

    async def upload(self, rng: random.Random, *, again: bool = False) -> None:
        """Send what is queued, a few vouchers in a batch."""
        self.process.line = self.line(rng)
        with patch("tpsi_client.uploading.MAX_BATCH", 3):
            await self.process.upload(again=again)

    def rows(self) -> dict[bytes, tuple[str, bytes | None]]:
        """What the outbox holds: state and payload of every voucher."""
        with self.local.state._database.transaction() as connection:
            found = connection.execute(_ROWS)
            return {row.voucher_id: (row.state, row.payload) for row in found}

    def newest_epoch(self) -> int:
        """The newest epoch that the device knows, by the rows themselves."""
        with self.local.state._database.transaction() as connection:
            return int(connection.execute(_NEWEST).scalar_one())

    def files(self) -> list[bytes]:
        """The octets of the outbox's files."""
        return [path.read_bytes() for path in self.home.glob("outbox.sqlite3*")]
