"""Power cuts: the store's own transactions on a file system that loses what was not synchronised."""

import hashlib
import random
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import create_engine, select

from tests.faults.apsw_driver import Driver
from tests.faults.recording import Recording, RecordingSystem
from tests.support.server_data import data_key
from tpsi import Opened, Pool, Sharing
from tpsi_server import Store, StoreError
from tpsi_server.store import Delivery, Incoming, Match, sqlite
from tpsi_server.store.schema import vouchers

NAME = "store.sqlite3"
_POOL = Pool(bytes(16), 0, Sharing(3, 4))


@dataclass
class Cuts:
    """Power cuts, and what was acknowledged and lost; databases that did not open, or were not sound."""

    runs: int = 0
    acknowledged: int = 0
    lost: int = 0
    unsound: int = 0


def power_cuts(runs: int, seed: int = 0, *, synchronous: str | None = None, steps: int = 60) -> Cuts:
    """Cut the power after random operations of one recorded run, and look at what is left, each time.

    `synchronous` is another setting than the store's own: to see that losses would be found.
    """
    rng = random.Random(seed)
    recording = record(rng, steps, synchronous)
    cuts = Cuts()
    for _ in range(runs):
        files, marks = recording.after_power_cut(rng.randrange(len(recording.operations) + 1), rng)
        cuts.runs += 1
        cuts.acknowledged += len(marks)
        if not marks:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            _examine(Path(folder) / NAME, marks, cuts)
    return cuts


def _examine(path: Path, marks: list[bytes], cuts: Cuts) -> None:
    """Open what a power cut left as a server would, and look for what was acknowledged."""
    try:
        with Store.open(path, data_key) as store:
            cuts.unsound += bool(store.check())
            with store._database.read() as connection:
                rows = connection.execute(select(vouchers.c.voucher_id, vouchers.c.digest)).all()
    except StoreError:
        cuts.unsound += 1
        cuts.lost += len(marks)
        return
    stored = {row.voucher_id + row.digest for row in rows}
    cuts.lost += sum(mark not in stored for mark in marks)


def record(rng: random.Random, steps: int, synchronous: str | None = None) -> Recording:
    """Deliver and match vouchers on the recording file system; every acknowledged voucher is a mark."""
    recording = Recording()
    name = f"recording-{secrets.token_hex(4)}"
    system = RecordingSystem(name, recording)
    with (
        tempfile.TemporaryDirectory() as folder,
        _recorded(name, synchronous),
        Store.create(Path(folder) / NAME, data_key) as store,
    ):
        store.accounts.add("alice", 1.0)
        store.epochs.add(1, bytes(32), 1.0)
        for step in range(steps):
            _deliver(store, rng, recording)
            if step % 3 == 2:
                _match(store)
    system.unregister()
    return recording


def _deliver(store: Store, rng: random.Random, recording: Recording) -> None:
    some = []
    for _ in range(rng.randint(1, 6)):
        payload = rng.randbytes(rng.choice((300, 5_000, 40_000)))
        some.append(Incoming(rng.randbytes(16), hashlib.sha256(payload).digest(), 0, 1, payload))
    (answers,) = store.vouchers.store([Delivery("alice", some)], 1.0)
    assert answers is not None
    for one in some:
        recording.mark(one.voucher_id + one.digest)


def _match(store: Store) -> None:
    claim = store.matches.claim(1, 5, 60.0, 1.0)
    if claim is not None:
        share = b"\0" * 7 + b"\1" + bytes(32)
        results = [
            Match(one.id, Opened(one.id.to_bytes(16, "big"), 0, share, bytes(16)), _POOL)
            if one.id % 2
            else Match(one.id)
            for one in claim.vouchers
        ]
        store.matches.record(claim, results, 1.0)


@contextmanager
def _recorded(vfs: str, synchronous: str | None) -> Iterator[None]:
    """Stores that are opened in the block are on the recording file system."""
    pragmas = [
        one if "synchronous" not in one or synchronous is None else f"synchronous = {synchronous}"
        for one in sqlite._PRAGMAS
    ]

    def create(*arguments: object, **options: object) -> object:
        return create_engine(*arguments, module=Driver(vfs), **options)  # type: ignore[call-overload]

    with patch.object(sqlite, "create_engine", create), patch.object(sqlite, "_PRAGMAS", tuple(pragmas)):
        yield
