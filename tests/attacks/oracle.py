"""Does the time of an answer tell whether vouchers matched? `python -m tests.attacks.oracle --rounds 200`

A hostile device asks a real server in a process of its own, which matches while it answers: it sends a batch of
vouchers that all match, and one of vouchers that do not, in random order, over one stream and with nothing else to do;
and after each batch a row of single vouchers that match nothing, while the batch is matched. Two times are taken of
each batch: that of its own acknowledgement, and that of the whole row after it. The former must tell nothing. The
latter may: who writes down a match has more to write than who writes down none, and who comes next waits for the store.

The two batches of a round are compared with each other, so that what the machine does besides falls out. A difference
is judged by exchanging the kinds within rounds at random. Beside it stands the smallest one that so many rounds would
find (with probability 0.8, at a level of 0.01), as it follows from the noise that was seen.
"""

import argparse
import json
import queue
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

import numpy as np

from tests.support.server_data import LISTED, THRESHOLD, TestEpoch, make_data_folder
from tests.support.server_process import ServerProcess
from tests.support.serving import Client
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime

LEVEL, POWER = 0.01, 0.8
#: Rearrangements that the observed difference is compared with.
REARRANGED = 4000
#: The share of rounds, at either end, in which something else was stronger than what is looked for.
TRIMMED = 0.2
#: Listed names that are sent: as many as may match without anything being revealed.
ASKED = LISTED[:THRESHOLD]


@dataclass(frozen=True)
class Finding:
    """The difference of two kinds of times (seconds, trimmed mean of rounds), its p-value, the smallest to be found."""

    difference: float
    p: float
    smallest: float
    typical: float

    @property
    def found(self) -> bool:
        """Whether the times differ."""
        return self.p < LEVEL

    def __str__(self) -> str:
        micro = [f"{1e6 * value:+9.1f}" for value in (self.difference, self.smallest, self.typical)]
        return f"{micro[0]} µs (p = {self.p:.4f}; would find {micro[1]} µs of {micro[2]} µs)"


def compare(matching: Sequence[float], others: Sequence[float], seed: int = 0) -> Finding:
    """Whether times of two kinds, a pair a round, differ: the trimmed mean of differences, under random signs."""
    first, second = np.array(matching), np.array(others)
    differences, rng = first - second, np.random.default_rng(seed)
    cut = int(TRIMMED * len(differences))

    def middle(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return float(np.sort(values)[cut : len(values) - cut].mean())

    observed = middle(differences)
    by_chance = np.array([middle(differences * rng.choice((-1, 1), len(differences))) for _ in range(REARRANGED)])
    p = (1 + int((np.abs(by_chance) >= abs(observed)).sum())) / (1 + REARRANGED)
    normal = NormalDist()
    smallest = (normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)) * float(by_chance.std())
    return Finding(observed, p, smallest, float(np.median([first, second])))


@dataclass
class Times:
    """Seconds by kind, one of each a round: of own acknowledgements, and of the rows of uploads after them."""

    own: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    after: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})


class Talk:
    """A stream on which one batch is on its way at a time."""

    def __init__(self, client: Client) -> None:
        self._batches: queue.SimpleQueue[pb.UploadBatch | None] = queue.SimpleQueue()
        self._acks = client.vouchers.Upload(iter(self._batches.get, None))

    def send(self, vouchers: Sequence[bytes]) -> float:
        """Seconds until a batch is acknowledged."""
        batch = pb.UploadBatch(sequence=1, vouchers=vouchers)
        start = time.perf_counter()
        self._batches.put(batch)
        ack = next(self._acks)
        taken = time.perf_counter() - start
        if ack.stored != len(vouchers):
            raise RuntimeError("a voucher was not taken")
        return taken

    def close(self) -> None:
        """End the stream."""
        self._batches.put(None)
        for _ in self._acks:
            raise RuntimeError("an answer that nobody asked for")


@dataclass(frozen=True)
class Plan:
    """How much is sent: `batch` vouchers of one kind, and a `row` of single ones after them; `rest` seconds between."""

    rounds: int
    batch: int
    row: int
    rest: float = 0.1


def measure(client: Client, epoch: TestEpoch, plan: Plan, seed: int = 0) -> Times:
    """All rounds; what is sent is sealed between them."""
    rng, times = random.Random(seed), Times()
    for number in range(plan.rounds):
        kinds = [True, False]
        rng.shuffle(kinds)
        for listed in kinds:
            name = f"oracle {seed} {number} {listed}"
            names: list[object] = [rng.choice(ASKED)] * plan.batch if listed else [f"{name} not"] * plan.batch
            asked = [epoch.seal([one], seed=f"{name} {place}")[0] for place, one in enumerate(names)]
            row = epoch.seal([f"{name} {place}" for place in range(plan.row + 1)], seed=name)
            talk = Talk(client)
            talk.send(row[:1])
            times.own[listed].append(talk.send(asked))
            times.after[listed].append(sum(talk.send([one]) for one in row[1:]))
            talk.close()
            time.sleep(plan.rest)
    return times


@contextmanager
def asked_server(path: Path, *options: str, account: str = "alice") -> Iterator[tuple[Client, TestEpoch]]:
    """A server that matches, without limits for accounts, and a device's connection to it."""
    folder = make_data_folder(path / "data")
    _lift_limits(folder)
    with Runtime(folder) as runtime:
        runtime.accounts.create(account)
        token = runtime.accounts.issue(Role.DEVICE, account).token.reveal().decode()
    with ServerProcess(folder, *options) as server, server.served().client(token) as client:
        yield client, TestEpoch.read(folder)


def _lift_limits(folder: DataFolder) -> None:
    settings = json.loads(folder.server_file.read_bytes())
    limits = {"vouchers": 0, "octets_a_day": 0, "vouchers_a_second": 0}
    folder.server_file.write_text(json.dumps(settings | {"limits": limits}))


def main() -> int:
    """Run from the command line; the exit status is 1 if the time of an own acknowledgement differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.oracle", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="batches of either kind (default: 200)")
    parser.add_argument("--batch", type=int, default=64, help="vouchers of a batch (default: 64)")
    parser.add_argument("--row", type=int, default=30, help="single vouchers after a batch (default: 30)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--answer-after", help="what the server is told (`tpsi-server serve --help`); 0 holds nothing back"
    )
    parser.add_argument("--no-match", action="store_true", help="have the server match nothing as it comes")
    arguments = parser.parse_args()
    plan = Plan(arguments.rounds, arguments.batch, arguments.row)
    options = [] if arguments.answer_after is None else ["--answer-after", arguments.answer_after]
    options += ["--no-match"] * arguments.no_match
    with tempfile.TemporaryDirectory() as path, asked_server(Path(path), *options) as (client, epoch):
        measure(client, epoch, Plan(3, plan.batch, plan.row), seed=-1)  # processes and caches are there from now on
        times = measure(client, epoch, plan, arguments.seed)
    own, after = compare(times.own[True], times.own[False]), compare(times.after[True], times.after[False])
    for name, finding, vouchers in (
        ("its own acknowledgement", own, plan.batch),
        ("the row after it", after, plan.batch),
    ):
        each = (
            f"a voucher: {1e6 * finding.difference / vouchers:+.2f}, would find {1e6 * finding.smallest / vouchers:.2f}"
        )
        print(f"{name:24} {finding} {'DIFFERS' if finding.found else 'no difference found'}; {each} µs")
    return int(own.found)


if __name__ == "__main__":
    sys.exit(main())
