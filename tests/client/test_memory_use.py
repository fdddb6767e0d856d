"""Sealing from a table of four million hashes takes less than 150 MiB of memory, all libraries included.

The table alone has 138 MiB: a device that maps it has most of it resident soon, where the system maps large folios.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.client.epochs import LIST_ID, Epoch, first_epoch, sign
from tests.client.fake_server import TOKEN
from tpsi import Pins
from tpsi.merkle import CHUNK_SIZE, leaves_of, root
from tpsi.secret import Secret
from tpsi.table import FuseGeometry
from tpsi_client.account_secret import AccountSecret
from tpsi_client.configuration import Configuration
from tpsi_client.endpoint import Endpoint
from tpsi_client.home import Home
from tpsi_client.state import Link, State
from tpsi_client.tables import TableFolder

MILLIONS = 4 * 10**6
LIMIT = 150 * 2**20
SEAL = """
import hashlib, json, sys
from tpsi_client import Device, Item, ItemHash
with Device.open(sys.argv[1]) as device:
    for start in range(0, 4000, 500):
        hashes = [hashlib.sha256(b"%d" % n).digest() for n in range(start, start + 500)]
        assert device.queue([Item(h, (ItemHash("sha256", h),), bytes(4000)) for h in hashes]) == 500
    assert device.status().bad_candidates == 0
status = open("/proc/self/status").read()
print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
"""


def large_home(path: Path) -> Epoch:
    """A device's folder with a table of four million entries: one valid element all over, it is all the same here."""
    small = first_epoch()
    element = small.built.table.cells[0].tobytes()
    chunk = element * (CHUNK_SIZE // len(element))
    size = FuseGeometry.of(MILLIONS).cells * len(element)
    pieces = [chunk] * (size // CHUNK_SIZE) + [chunk[: size % CHUNK_SIZE]] * bool(size % CHUNK_SIZE)
    manifest = replace(small.manifest, items=MILLIONS, root=root(leaves_of(pieces)))
    home = Home(path)
    folder = TableFolder.of(home, manifest)
    folder.save_manifest(sign(manifest))
    folder.table.write_bytes(b"".join(pieces))  # at once: so the system caches it in large folios, where it has them
    pins = Pins(LIST_ID, bytes(32), 1)
    configuration = Configuration(Endpoint("localhost", 1, None, Secret(TOKEN.encode())), "a test list", "alice", pins)
    secret = AccountSecret.draw(LIST_ID)
    secret.save(home)
    state = State.create(home.outbox, configuration.identity, secret.check)
    state.chain.follow([Link(1, manifest.digest)])
    state.chain.use(manifest.digest)
    state.close()
    configuration.save(home)
    return small


def test_sealing_from_four_million_entries_takes_under_150_mib(tmp_path: Path) -> None:
    large_home(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "-c", SEAL, str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.stderr == ""
    assert int(done.stdout) < LIMIT
