"""A device that is killed while it works: nothing acknowledged is lost, nothing counts twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.epochs import FILLERS, Epoch, first_epoch, sha256
from tests.client.fake_server import FakeServer, opened
from tests.client.pictures import make_pictures
from tests.client.test_uploading import COUNT, items
from tests.pictures.files import encode, photograph
from tpsi_client import Choices, Device

Enrol = Callable[..., Device]
SAMPLES = make_pictures(12)
PATIENCE = 120.0


#: What `python -m tpsi_client` does, in a process that takes interrupts even if the tests run where they are ignored.
_TAKING_INTERRUPTS = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('tpsi_client', run_name='__main__', alter_sys=True)"
)


def start(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A `tpsi-device` process."""
    return subprocess.Popen(
        [sys.executable, "-c", _TAKING_INTERRUPTS, *arguments],
        env=os.environ | {"TPSI_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def add_photographs(folder: Path, count: int) -> None:
    """More photographs, all different."""
    image = photograph("coffee")
    for number in range(count):
        (folder / f"more{number:03}.jpg").write_bytes(encode(image.crop((number, 0, number + 150, 150)), "JPEG"))


class TestUpload:
    @pytest.mark.parametrize("batch", [1, 2, 3])
    def test_killed_before_an_acknowledgement(self, enrol: Enrol, server: FakeServer, home: Path, batch: int) -> None:
        device = enrol(Choices(size_class=0))
        device.queue(items(COUNT, 0))
        device.close()
        victim = start(home, "upload")
        seen = 0

        def kill() -> None:
            nonlocal seen
            seen += 1
            if seen == batch:
                victim.kill()
                victim.wait(PATIENCE)

        server.behaviour.on_batch = kill
        victim.communicate(timeout=PATIENCE)
        assert victim.returncode == -signal.SIGKILL
        server.behaviour.on_batch = lambda: None
        with Device.open(home) as again:
            before = again.status()
            assert before.acknowledged <= len(server.behaviour.stored)
            assert before.acknowledged + before.queued == COUNT
            again.upload()
            assert (again.status().queued, again.status().acknowledged) == (0, COUNT)
        assert len(server.behaviour.stored) == COUNT

    def test_interrupted_by_the_user(self, enrol: Enrol, server: FakeServer, home: Path) -> None:
        device = enrol(Choices(size_class=0))
        device.queue(items(COUNT, 0))
        device.close()
        victim = start(home, "upload")

        def interrupt() -> None:
            victim.send_signal(signal.SIGINT)
            victim.wait(PATIENCE)

        server.behaviour.on_batch = interrupt
        _, errors = victim.communicate(timeout=PATIENCE)
        assert victim.returncode == 130
        assert (
            errors
            == "tpsi-device: interrupted; what was done so far is kept, and the same command goes on from there\n"
        )
        server.behaviour.on_batch = lambda: None
        with Device.open(home) as again:
            again.upload()
            assert again.status().acknowledged == COUNT
        assert len(server.behaviour.stored) == COUNT


class TestFullDisk:
    """A limit on the size of files stands in for a disk that is full."""

    def limited(self, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", LIMITED, *arguments],
            env=os.environ | {"TPSI_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_while_sealing(self, enrol: Enrol, server: FakeServer, home: Path, folder: Path) -> None:
        add_photographs(folder, 60)
        enrol().close()
        full = self.limited(home, "scan", str(folder))
        assert (full.returncode, full.stdout, full.stderr.count("\n")) == (1, "", 1)
        assert "outbox.sqlite3" in full.stderr
        with Device.open(home) as device:
            before = device.status()
            assert before.queued == before.remembered == before.sealed
            device.scan(folder)
            device.upload()
            assert device.status().remembered == 72
        assert len(server.behaviour.stored) == 72

    def test_while_fetching(self, enrol: Enrol, server: FakeServer, home: Path) -> None:
        server.behaviour.epochs = [first_epoch(fillers=FILLERS)]
        enrol(fetch=False).close()
        full = self.limited(home, "fetch")
        assert (full.returncode, full.stdout) == (1, "")
        assert full.stderr.startswith("tpsi-device: can't write ")
        assert full.stderr.endswith("table.part: the disk is full; make room and try again\n")
        with Device.open(home) as device:
            assert device.fetch().received < len(first_epoch(fillers=FILLERS).table)
            assert device.status().table_complete


#: A command whose files can't grow beyond 150 000 octets.
LIMITED = """
import resource, signal
from tpsi_client.cli import main
from tpsi import group
group("TPSI-RISTRETTO255-SHA512")  # its library unpacks a larger file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
main()
"""


class TestScan:
    @pytest.fixture
    def epoch(self) -> Epoch:
        return first_epoch(tuple(sha256(content) for content in SAMPLES[:5]))

    @pytest.fixture
    def many(self, folder: Path) -> Path:
        """400 more photographs, so that a scan takes a while."""
        add_photographs(folder, 400)
        return folder

    def test_killed_between_blocks_of_pictures(
        self, enrol: Enrol, server: FakeServer, home: Path, many: Path, epoch: Epoch
    ) -> None:
        enrol().close()
        victim = start(home, "scan", str(many))
        deadline = time.monotonic() + PATIENCE
        with Device.open(home, read_only=True) as watcher:
            while watcher.status().queued == 0:
                assert time.monotonic() < deadline
        victim.kill()
        victim.communicate(timeout=PATIENCE)
        with Device.open(home) as device:
            sealed = device.status().queued
            assert 0 < sealed < 412
            assert device.status().remembered == sealed
            report = device.scan(many)
            assert (report.unchanged, report.vouchers, report.repeated) == (sealed, 412 - sealed, 0)
            device.upload()
        assert opened(epoch, server.behaviour.vouchers) == 5
