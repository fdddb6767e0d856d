"""A real server for the benchmark: its data folder with an epoch for every suite and table, and its process.

`python -m bench.serving FOLDER` is that process: what `tpsi-server serve` runs, on a free port that it writes to the
folder's file `port`.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.stage import ACCOUNT, SHARING, listed_hashes
from tpsi import BlindedTable, Device, Manifest, Pool, Secret, Synthetic, SyntheticMode, derive
from tpsi_server import Accounts, DataFolder, Role, ServeSettings, Store
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keyfile import Cost
from tpsi_server.keys import KeyRing
from tpsi_server.lists import Addition
from tpsi_server.setup import set_up
from tpsi_server.store import Spool
from tpsi_server.tables import TABLE_FILE, epoch_folder

_ROOT = Path(__file__).resolve().parent.parent
_PASSPHRASE = Secret(b"the benchmark keeps no secrets")
_CHEAP = Cost(2, 1, 1)  # opening key files is not what is measured
_START_SECONDS, _STOP_SECONDS = 60.0, 30.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data folder, the token of the benchmark's account, and a device on the table of every epoch."""

    folder: DataFolder
    token: Secret
    devices: Sequence[Device]


def prepare(path: Path, tables: Sequence[tuple[str, str]], listed: int) -> Prepared:
    """Set up a server and build an epoch for each suite and table encoding."""
    folder = DataFolder.at(path)
    set_up(folder, "benchmark", _PASSPHRASE, cost=_CHEAP)
    with Store.open(folder.database) as store:
        spool = Spool()
        for line, item in enumerate(listed_hashes(listed), 1):
            spool.add(Addition(item, line))
        store.lists.apply("list", spool, replace=True, file="", form="", report={}, now=time.time())
        spool.close()
        accounts = Accounts(store)
        accounts.create(ACCOUNT)
        # It is as many accounts in one: an hour of load is more than a server lets one account send.
        store.quotas.limit(ACCOUNT, dict.fromkeys(("vouchers", "octets_a_day", "vouchers_a_second"), 0))
        token = accounts.issue(Role.DEVICE, ACCOUNT).token
        builder = Builder(folder, store, KeyRing(folder.keys, _PASSPHRASE, cost=_CHEAP), processes=1)
        silent = Synthetic(SyntheticMode.NONE, 0)
        manifests = [builder.build(BuildOptions(SHARING, silent, encoding=e, suite=s)) for s, e in tables]
    return Prepared(folder, token, [_device(folder, manifest) for manifest in manifests])


def _device(folder: DataFolder, manifest: Manifest) -> Device:
    file = epoch_folder(folder, manifest.epoch) / TABLE_FILE
    cells = np.fromfile(file, np.uint8).reshape(manifest.geometry.cells, manifest.group.element_size)
    keys = derive(Secret(bytes(32)), Pool(manifest.list_id, 0, manifest.sharing))
    return Device(manifest, BlindedTable(manifest.group, manifest.geometry, manifest.seed, cells), keys, ACCOUNT)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, and the number of its process."""

    port: int
    process: int


@contextmanager
def serving(folder: DataFolder) -> Iterator[Server]:
    """Serve from a folder in another process, over TLS on this machine. BenchError if it fails."""
    command = [sys.executable, "-m", "bench.serving", str(folder.path)]
    with (folder.path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
    try:
        yield Server(_wait_for_port(process, folder), process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port_file(folder: DataFolder) -> Path:
    return folder.path / "port"


def _wait_for_port(process: subprocess.Popen[bytes], folder: DataFolder) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _port_file(folder).exists():
            return int(_port_file(folder).read_text(encoding="ascii"))
        time.sleep(0.02)
    said = (folder.path / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise BenchError(f"the server did not start: {said[-1] if said else 'it said nothing'}")


def main() -> int:
    """The server's process."""
    from tpsi_server.service import run

    folder = DataFolder.at(sys.argv[1])
    return asyncio.run(run(ServeSettings(folder, _PASSPHRASE, port=0, port_file=_port_file(folder))))


if __name__ == "__main__":
    sys.exit(main())
