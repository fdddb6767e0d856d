"""A server that is killed, or told to stop, at random moments while devices upload and vouchers are matched."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.processes import ServerUnderFire, warm_up
from tests.faults.stage import ACCOUNTS, Stage, listed
from tests.faults.uploading import Uploader, Uploads
from tests.support.server_data import wait_for

#: Vouchers of each device in each round.
FRESH = 24
#: Seconds after the beginning of the uploads at which the server is killed, at most.
WINDOW = 0.25
#: Seconds that a device has for what is left at the end, and the server for matching it.
LAST_UPLOAD = 600.0
#: Rounds after which a long campaign says how it goes.
REPORTED = 100
#: After so many rounds the whole database is checked after some of them only.
CHECKED, CHECKED_LATER = 60, 25


@dataclass
class Kills:
    """Rounds, and what was acknowledged, lost, or unsound; how long starts and stops took at most, in seconds."""

    rounds: int = 0
    acknowledged: int = 0
    cut_off: int = 0
    lost: int = 0
    unsound: int = 0
    duplicates: int = 0
    slowest_start: float = 0.0
    slowest_stop: float = 0.0
    failed_stops: int = 0
    opened: int = 0
    listed: int = 0


class _Campaign:
    def __init__(self, stage: Stage, log: Path, seed: int) -> None:
        self.stage, self.log = stage, log
        self.rng = random.Random(seed)
        self.devices = {name: Uploader(stage.tokens[name]) for name in ACCOUNTS}
        self.sealed = range(1, 1)
        warm_up()
        self.result = Kills()

    @property
    def acknowledged(self) -> set[bytes]:
        return set().union(*(device.acknowledged for device in self.devices.values()))

    @contextmanager
    def running(self) -> Iterator[ServerUnderFire]:
        """A server, which has ended when the block has."""
        server = ServerUnderFire(self.stage.folder, self.log)
        self.result.slowest_start = max(self.result.slowest_start, server.started)
        try:
            yield server
        finally:
            server.kill()

    def refill(self) -> None:
        fresh = range(self.sealed.stop, self.sealed.stop + FRESH)
        for name, device in self.devices.items():
            device.outbox.extend(self.stage.seal(name, fresh))
        self.sealed = range(1, fresh.stop)

    def look(self, *, thorough: bool) -> None:
        """Look at the database as it is now."""
        self.result.lost += len(self.stage.missing(self.acknowledged))
        if thorough:
            self.result.unsound += bool(self.stage.faults())

    def finish(self) -> Kills:
        """Upload and match the rest, undisturbed."""
        with self.running() as server:
            for device in self.devices.values():
                device.upload_all(server.served, LAST_UPLOAD)
                assert not device.outbox
                assert not device.refused
            self._free_work()
            wait_for(self._all_matched, LAST_UPLOAD)
            server.terminate()
        self.look(thorough=True)
        result = self.result
        result.acknowledged = len(self.acknowledged)
        result.duplicates = len(self.stage.stored()) - len(ACCOUNTS) * len(self.sealed)
        result.opened, result.listed = self.stage.opened(), len(ACCOUNTS) * listed(self.sealed)
        return result

    def _free_work(self) -> None:
        """What killed servers had claimed, and what they were killed over three times, is to be had again at once."""
        self.stage.end_leases()
        with self.stage.store() as store:
            store.matches.retry_failed()

    def _all_matched(self) -> bool:
        with self.stage.store() as store:
            return store.vouchers.count_waiting() == 0


def kill_server(stage: Stage, points: int, log: Path, seed: int = 0) -> Kills:
    """Kill the server at random moments, so many times; each time start it again and go on."""
    campaign = _Campaign(stage, log, seed)
    for point in range(points):
        campaign.refill()
        with campaign.running() as server:
            uploads = Uploads(list(campaign.devices.values()), server.served)
            time.sleep(campaign.rng.uniform(0.0, WINDOW))
        uploads.wait()
        campaign.result.rounds += 1
        campaign.result.cut_off += any(device.outbox for device in campaign.devices.values())
        campaign.look(thorough=point < CHECKED or point % CHECKED_LATER == 0)
        if (point + 1) % REPORTED == 0:
            print(f"{point + 1} of {points}: {campaign.result}", file=sys.stderr, flush=True)
    return campaign.finish()


def terminate_server(stage: Stage, rounds: int, log: Path, seed: int = 0) -> Kills:
    """Tell the server to stop (SIGTERM) while devices upload; what it has stored must have been acknowledged."""
    campaign = _Campaign(stage, log, seed)
    for _ in range(rounds):
        campaign.refill()
        with campaign.running() as server:
            uploads = Uploads(list(campaign.devices.values()), server.served)
            time.sleep(campaign.rng.uniform(0.0, WINDOW))
            status, took = server.terminate()
            uploads.wait()
        campaign.result.rounds += 1
        campaign.result.failed_stops += status != 0
        campaign.result.slowest_stop = max(campaign.result.slowest_stop, took)
        campaign.result.cut_off += any(device.outbox for device in campaign.devices.values())
        campaign.look(thorough=False)
        unsaid = campaign.stage.stored() - campaign.acknowledged  # stored, and the device does not know
        campaign.result.lost += len(unsaid)
    return campaign.finish()
