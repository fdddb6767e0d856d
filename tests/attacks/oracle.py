"""Does the time of an answer tell whether a voucher matched? `python -m tests.attacks.oracle --uploads 4000`

Single vouchers of listed and other items, in random order, go to a real server in a process of its own that matches
while it answers. For each, two times are taken: that of its own acknowledgement, and that of the next upload, begun
after a pause in which the voucher is likely to be matched: recording a match takes the store a little longer than
recording none, and who waits for the store might see that. Beside each difference stands the smallest one that so many
uploads would find (with probability 0.8, at a level of 0.01).
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

from tests.support.server_data import LISTED, TestEpoch, make_data_folder
from tests.support.server_process import ServerProcess
from tests.support.serving import Client
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Role, Runtime

LEVEL, POWER = 0.01, 0.8
#: Rearrangements that the observed difference is compared with.
REARRANGED = 4000


@dataclass(frozen=True)
class Finding:
    """The difference of two sets of times (seconds, trimmed means), its p-value, the smallest that would be found."""

    difference: float
    p: float
    smallest: float
    typical: float

    @property
    def found(self) -> bool:
        """Whether the times differ."""
        return self.p < LEVEL

    def __str__(self) -> str:
        micro = [f"{1e6 * value:+8.1f}" for value in (self.difference, self.smallest, self.typical)]
        return f"{micro[0]} µs (p = {self.p:.3f}; would find {micro[1]} µs of {micro[2]} µs)"


def compare(matching: Sequence[float], others: Sequence[float], seed: int = 0) -> Finding:
    """Whether times of two kinds differ: their trimmed means, under random exchange of the kinds."""
    values = np.array([*matching, *others])
    values = np.minimum(values, np.quantile(values, 0.75))  # what else the machine does shows in the slow ones
    count = len(matching)
    rng = np.random.default_rng(seed)

    def difference(order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        return float(values[order[:count]].mean() - values[order[count:]].mean())

    observed = difference(np.arange(len(values)))
    by_chance = np.array([difference(rng.permutation(len(values))) for _ in range(REARRANGED)])
    p = (1 + int((np.abs(by_chance) >= abs(observed)).sum())) / (1 + REARRANGED)
    normal = NormalDist()
    smallest = (normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)) * float(by_chance.std())
    return Finding(observed, p, smallest, float(np.median(values)))


@dataclass
class Times:
    """Seconds by kind: of own acknowledgements, and of the uploads after them."""

    own: dict[bool, list[float]]
    after: dict[bool, list[float]]


def measure(client: Client, epoch: TestEpoch, uploads: int, pause: float, seed: int = 0) -> Times:
    """Send so many vouchers of either kind, each followed by one that matches nothing."""
    rng = random.Random(seed)
    kinds = [number % 2 == 0 for number in range(uploads)]
    rng.shuffle(kinds)
    times = Times({True: [], False: []}, {True: [], False: []})
    for number, listed in enumerate(kinds):
        name: object = rng.choice(LISTED) if listed else f"other {number}"
        (voucher,) = epoch.seal([name], seed=f"oracle {seed} {number}")
        (following,) = epoch.seal([f"following {number}"], seed=f"following {seed} {number}")
        times.own[listed].append(_seconds(client, voucher))
        time.sleep(pause * rng.random())
        times.after[listed].append(_seconds(client, following))
    return times


def _seconds(client: Client, voucher: bytes) -> float:
    def batch() -> Iterator[pb.UploadBatch]:
        yield pb.UploadBatch(sequence=1, vouchers=[voucher])

    start = time.perf_counter()
    (ack,) = client.vouchers.Upload(batch())
    taken = time.perf_counter() - start
    if ack.stored != 1:
        raise RuntimeError("a voucher was not taken")
    return taken


def main() -> int:
    """Run from the command line; the exit status is 1 if a difference was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.oracle", description=__doc__)
    parser.add_argument("--uploads", type=int, default=4000, help="vouchers of both kinds together (default: 4000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.3, help="longest pause before the next upload, in seconds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as path:
        folder = make_data_folder(Path(path) / "data")
        with Runtime(folder) as runtime:
            runtime.accounts.create("alice")
            token = runtime.accounts.issue(Role.DEVICE, "alice").token.reveal().decode()
        with ServerProcess(folder) as server, server.served().client(token) as client:
            epoch = TestEpoch.read(folder)
            measure(client, epoch, 20, 0.0, seed=-1)  # connection, processes and caches are there from now on
            times = measure(client, epoch, arguments.uploads, arguments.pause, arguments.seed)
    findings = {
        "its own acknowledgement": compare(times.own[True], times.own[False]),
        "the next upload": compare(times.after[True], times.after[False]),
    }
    for name, finding in findings.items():
        print(f"{name:24} {finding} {'DIFFERS' if finding.found else 'no difference found'}")
    return int(any(finding.found for finding in findings.values()))


if __name__ == "__main__":
    sys.exit(main())
