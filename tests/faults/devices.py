"""A device that is killed at random moments while it hashes, seals and uploads."""

import io
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.faults.processes import ServerUnderFire, start, use_device, warm_up
from tests.faults.stage import Stage
from tpsi_client import Device
from tpsi_server import Runtime
from tpsi_server.enrolment import Enrolment

#: New pictures in each round.
FRESH = 8
#: Seconds after the device's start at which it is killed, at most.
WINDOW = 0.8


@dataclass
class DeviceKills:
    """Rounds; pictures; vouchers that the server has (must be as many); what the device wrongly believes to be sent."""

    rounds: int = 0
    pictures: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    unsound: int = 0


def kill_device(stage: Stage, points: int, place: Path, seed: int = 0) -> DeviceKills:
    """Kill a device so many times, each time with new pictures, and start it again."""
    rng = random.Random(seed)
    log, pictures, home = place / "log", place / "pictures", place / "home"
    pictures.mkdir()
    warm_up()
    server = ServerUnderFire(stage.folder, log)
    result = DeviceKills()
    try:
        enrol(stage, server, place / "alice.json", home)
        commands = [["scan", str(pictures)], ["upload"]]
        for _ in range(points):
            add_pictures(pictures, result.pictures, rng)
            result.pictures += FRESH
            process = start(use_device, home, commands, log)
            time.sleep(rng.uniform(0.0, WINDOW))
            process.kill()
            process.join()
            result.rounds += 1
            with Device.open(home, read_only=True) as device:
                result.lost += max(0, device.status().acknowledged - len(stage.stored()))
        process = start(use_device, home, commands, log)
        process.join()
        with Device.open(home) as device:
            status = device.status()
        assert (status.queued, status.remembered) == (0, result.pictures), log.read_text()
        result.acknowledged = status.acknowledged
        server.terminate()
    finally:
        server.kill()
    result.stored = len(stage.stored())
    result.unsound = len(stage.faults())
    return result


def enrol(stage: Stage, server: ServerUnderFire, file: Path, home: Path) -> None:
    """Enrol a device of alice."""
    with Runtime(stage.folder) as runtime:
        identity = runtime.identity
    assert server.served.ca is not None
    token = stage.tokens["alice"]
    Enrolment(server.served.address, server.served.ca.decode(), identity, "alice", token, 3).write(file)
    Device.enrol(home, file).close()


def add_pictures(folder: Path, first: int, rng: random.Random) -> None:
    """New small pictures, all different."""
    for number in range(first, first + FRESH):
        pixels = np.frombuffer(rng.randbytes(32 * 32 * 3), np.uint8).reshape(32, 32, 3)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        (folder / f"{number:06}.png").write_bytes(content.getvalue())
