"""A disk that is full for a while: what is refused is refused cleanly, and the same process goes on afterwards."""

import errno
import random
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.faults.stage import Stage, ids_of
from tests.support.server_data import PASSPHRASE
from tpsi_server import Runtime, StoreError

SIZE = 24 << 20


class SmallDisk:
    """A folder on a disk of its own that can be filled up: a file system in memory for root, else a limit on files."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.path = path
        path.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tpsi", str(path)], check=False, capture_output=True
        )
        self.mounted = mounted.returncode == 0
        if not self.mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(self, left: int) -> None:
        """Leave so many octets, about."""
        if self.mounted:
            free = int(subprocess.check_output(["df", "--output=avail", "-B1", self.path]).split()[1])
            try:
                (self.path / "ballast").write_bytes(bytes(max(0, free - left)))
            except OSError as error:
                if error.errno != errno.ENOSPC:  # somebody else was quicker: it is full
                    raise
        else:
            largest = max(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest + left, resource.RLIM_INFINITY))

    def make_room(self) -> None:
        """Let there be room again."""
        (self.path / "ballast").unlink(missing_ok=True)
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        """Take it away."""
        self.make_room()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=True)


@contextmanager
def small_disk(path: Path, size: int = SIZE) -> Iterator[SmallDisk]:
    """A small disk at a path."""
    disk = SmallDisk(path, size)
    try:
        yield disk
    finally:
        disk.close()


@dataclass
class Fillings:
    """Rounds; how many calls were refused for want of room; what was acknowledged, lost, not stored afterwards."""

    rounds: int = 0
    refused: int = 0
    acknowledged: int = 0
    lost: int = 0
    unsound: int = 0
    not_recovered: int = 0


class Disk(Protocol):
    """What can be filled up under a store."""

    def fill(self, left: int) -> None:
        """Leave so many octets, about."""
        ...

    def make_room(self) -> None:
        """Let there be room again, and the store be usable."""
        ...


def fill_disk(disk: Disk, stage: Stage, rounds: int, seed: int = 0) -> Fillings:
    """Fill the disk under a server's store while vouchers come in, and make room again, so many times."""
    rng = random.Random(seed)
    result, acknowledged, next_name = Fillings(), set[bytes](), 1
    with Runtime(stage.folder, PASSPHRASE, workers=0) as runtime:
        for _ in range(rounds):
            data = stage.seal("alice", range(next_name, next_name + 200))
            next_name += 200
            disk.fill(rng.randrange(0, 300_000))
            rest = []
            for at in range(0, len(data), 20):
                some = data[at : at + 20]
                try:
                    assert all(outcome.stored for outcome in runtime.ingest.ingest("alice", some))
                    acknowledged |= ids_of(some)
                except StoreError:
                    result.refused += 1
                    rest += some
            disk.make_room()
            result.lost += len(stage.missing(acknowledged))
            try:
                if rest:
                    assert all(outcome.stored for outcome in runtime.ingest.ingest("alice", rest))
                    acknowledged |= ids_of(rest)
                runtime.match_all()
            except StoreError:
                result.not_recovered += 1
            result.rounds += 1
            result.lost += len(stage.missing(acknowledged))
            result.unsound += bool(stage.faults())
    result.acknowledged = len(acknowledged)
    return result
