"""A PostgreSQL server that is restarted while vouchers come in and are matched."""

import random
import threading
import time
from dataclasses import dataclass

from tests.faults.stage import Stage, ids_of
from tests.support.postgres import PostgresServer
from tests.support.server_data import PASSPHRASE
from tpsi_server import Runtime, StoreError


@dataclass
class Restarts:
    """Restarts, what was refused meanwhile, acknowledged, and lost."""

    rounds: int = 0
    refused: int = 0
    acknowledged: int = 0
    lost: int = 0
    waiting: int = 0
    unsound: int = 0


def restart_database(server: PostgresServer, stage: Stage, rounds: int, seed: int = 0) -> Restarts:
    """Restart the database so many times, as an administrator does or as a crash does, under load."""
    rng = random.Random(seed)
    result, acknowledged, stop = Restarts(), set[bytes](), threading.Event()
    with Runtime(stage.folder, PASSPHRASE, workers=0) as runtime:
        runtime.start_matching()

        def send() -> None:
            name = 1
            while not stop.is_set():
                data = stage.seal("alice", range(name, name + 20))
                name += 20
                while True:
                    try:
                        assert all(outcome.stored for outcome in runtime.ingest.ingest("alice", data))
                        break
                    except StoreError:
                        result.refused += 1
                        time.sleep(0.05)
                acknowledged.update(ids_of(data))

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(rounds):
            time.sleep(rng.uniform(0.1, 0.5))
            server.stop(rng.choice(("fast", "immediate")))
            time.sleep(rng.uniform(0.0, 0.2))
            server.start()
            result.rounds += 1
        time.sleep(0.3)
        stop.set()
        sender.join()
        end = time.monotonic() + 30
        while runtime.status().vouchers_waiting and time.monotonic() < end:
            stage.end_leases()
            time.sleep(0.2)
        result.waiting = runtime.status().vouchers_waiting
    result.acknowledged = len(acknowledged)
    result.lost = len(stage.missing(acknowledged))
    result.unsound = len(stage.faults())
    return result
