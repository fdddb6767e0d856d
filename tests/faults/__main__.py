"""`python -m tests.faults CAMPAIGN`: faults for as long as one likes. The exit status is 1 if a promise was broken."""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.faults.devices import kill_device
from tests.faults.disks import fill_disk, small_disk
from tests.faults.kills import FRESH, kill_server, terminate_server
from tests.faults.postgres_disks import postgres_on_a_small_disk
from tests.faults.power import power_cuts
from tests.faults.restarts import restart_database
from tests.faults.stage import ACCOUNTS, Stage
from tests.faults.verdicts import Result, broken
from tests.faults.workers import kill_workers
from tests.support.postgres import PostgresServer

#: Seconds in which a server must be ready again, and in which it must have stopped.
READY, STOPPED = 5.0, 15.0


def main() -> int:
    """Run one campaign and print what came of it."""
    options = _parser().parse_args()
    logging.disable(logging.ERROR)  # what the server says about faults that are meant
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tpsi-faults-") as place:
        result = _CAMPAIGNS[options.campaign](options, Path(place))
    print(f"{options.campaign}: {time.monotonic() - begun:.0f} s, seed {options.seed}")
    for name, value in asdict(result).items():
        print(f"  {name.replace('_', ' '):16} {value:.2f}" if isinstance(value, float) else f"  {name:16} {value}")
    wrong = broken(result)
    if getattr(result, "slowest_start", 0.0) > READY:
        wrong.append(f"a server was ready after more than {READY} s")
    if getattr(result, "slowest_stop", 0.0) > STOPPED:
        wrong.append(f"a server stopped after more than {STOPPED} s")
    for line in wrong:
        print(f"BROKEN: {line}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    campaigns = parser.add_subparsers(dest="campaign", required=True)
    for name, (count, words) in _WORDS.items():
        one = campaigns.add_parser(name, help=words, description=words)
        one.add_argument("--count", type=int, default=count, help=f"how often (default: {count})")
        one.add_argument("--seed", type=int, default=0, help="another seed is another course of events")
        if name in _EITHER:
            one.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
        if name == "workers":
            one.add_argument("--jobs", type=int, default=1000, help="vouchers, each a job of its own (default: 1000)")
        if name == "disk-full":
            one.add_argument("--log", action="store_true", help="fill the disk of PostgreSQL's log, not of its tables")
        if name == "power":
            one.add_argument("--synchronous", choices=("OFF", "NORMAL"), help="see that a weaker setting is found out")
    return parser


_WORDS = {
    "power": (200, "cut the power at random moments of the store's transactions"),
    "kill-server": (1000, "kill -9 the server while devices upload"),
    "sigterm": (50, "tell the server to stop while devices upload"),
    "kill-device": (300, "kill -9 the device while it scans and uploads"),
    "workers": (200, "kill -9 some of eight matching processes"),
    "disk-full": (50, "fill the store's disk while vouchers come in"),
    "database-restart": (20, "restart PostgreSQL while vouchers come in"),
}
_EITHER = ("kill-server", "sigterm", "workers", "disk-full")


@contextmanager
def _stage(options: argparse.Namespace, place: Path, names: int = 20_000) -> Iterator[Stage]:
    """A server on the engine that was chosen."""
    with ExitStack() as stack:
        url = None
        if getattr(options, "engine", "") == "postgresql":
            url = stack.enter_context(stack.enter_context(PostgresServer()).database())
        yield Stage.make(place / "server", url, names)


def _power(options: argparse.Namespace, place: Path) -> Result:
    return power_cuts(options.count, options.seed, synchronous=options.synchronous)


def _kill_server(options: argparse.Namespace, place: Path) -> Result:
    with _stage(options, place, FRESH * (options.count + 1)) as stage:
        return kill_server(stage, options.count, place / "log", options.seed)


def _sigterm(options: argparse.Namespace, place: Path) -> Result:
    with _stage(options, place, FRESH * (options.count + 1)) as stage:
        return terminate_server(stage, options.count, place / "log", options.seed)


def _kill_device(options: argparse.Namespace, place: Path) -> Result:
    with _stage(options, place, 100) as stage:
        return kill_device(stage, options.count, place, options.seed)


def _workers(options: argparse.Namespace, place: Path) -> Result:
    with _stage(options, place, options.jobs // len(ACCOUNTS) + 2) as stage:
        return kill_workers(stage, options.jobs, options.count, seed=options.seed)


def _disk_full(options: argparse.Namespace, place: Path) -> Result:
    if options.engine == "postgresql":
        with postgres_on_a_small_disk(of_log=options.log) as (url, full):
            return fill_disk(full, Stage.make(place / "server", url, 2000), options.count, options.seed)
    with small_disk(place / "disk") as disk:
        return fill_disk(disk, Stage.make(disk.path / "server", names=2000), options.count, options.seed)


def _database_restart(options: argparse.Namespace, place: Path) -> Result:
    with PostgresServer(own=True) as server, server.database() as url:
        return restart_database(server, Stage.make(place / "server", url), options.count, options.seed)


_CAMPAIGNS: dict[str, Callable[[argparse.Namespace, Path], Result]] = {
    "power": _power,
    "kill-server": _kill_server,
    "sigterm": _sigterm,
    "kill-device": _kill_device,
    "workers": _workers,
    "disk-full": _disk_full,
    "database-restart": _database_restart,
}

if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
