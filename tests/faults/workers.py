"""Eight matching processes over one database, killed at random: every voucher is opened once, and once only."""

import random
import time
from dataclasses import dataclass

from tests.faults.processes import match_until_killed, start
from tests.faults.stage import ACCOUNTS, Stage, listed
from tpsi_server.ingest import Ingest
from tpsi_server.tables import TableRepository

#: Seconds after which the work of a killed process is somebody else's.
LEASE = 0.5


@dataclass
class Matched:
    """What became of the jobs. `opened` must be `listed`; `unsound` counts what contradicts itself."""

    jobs: int
    kills: int
    set_aside: int
    opened: int
    listed: int
    unsound: int


def kill_workers(stage: Stage, jobs: int, kills: int, *, workers: int = 8, seed: int = 0) -> Matched:
    """Match so many vouchers, each as a job of its own, and kill so many of the processes that do it."""
    rng = random.Random(seed)
    names = range(1, 1 + -(-jobs // len(ACCOUNTS)))
    with stage.store() as store:
        ingest = Ingest(store, TableRepository(stage.folder, store))
        for name in ACCOUNTS:
            data = stage.seal(name, names)
            for at in range(0, len(data), 500):
                assert all(one.stored for one in ingest.ingest(name, data[at : at + 500]))
        ingest.close()
        crew = [start(match_until_killed, stage.folder, LEASE, 1) for _ in range(workers)]
        killed = set_aside = 0
        try:
            while (waiting := store.vouchers.count_waiting()) or store.vouchers.count_failed():
                if killed < kills and waiting:
                    time.sleep(rng.uniform(0.0, 0.1))
                    victim = rng.randrange(workers)
                    crew[victim].kill()
                    crew[victim].join()
                    crew[victim] = start(match_until_killed, stage.folder, LEASE, 1)
                    killed += 1
                elif not waiting:
                    set_aside += store.matches.retry_failed()  # killed three times over the same voucher
                else:
                    time.sleep(0.05)
        finally:
            for process in crew:
                process.kill()
                process.join()
    expected = len(ACCOUNTS) * listed(names)
    return Matched(len(ACCOUNTS) * len(names), killed, set_aside, stage.opened(), expected, len(stage.faults()))
