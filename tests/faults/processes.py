"""Processes that can be killed: real servers, matchers and devices, forked from one that has imported everything.

So each starts in a fraction of a second, and thousands can be killed; what runs in them is what the commands run.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.server_data import COST, PASSPHRASE
from tests.support.serving import PATIENCE, Served
from tpsi_server import DataFolder
from tpsi_server.passphrase import ENVIRONMENT
from tpsi_server.tls import CA_CERTIFICATE

_PRELOADED = ["tests.faults.processes", "tpsi_server.cli.app", "tpsi_server.service", "tpsi_client.cli.app"]


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process that runs a function of a module."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def warm_up() -> None:
    """Import everything, so that the first process starts as fast as the others."""
    start(_nothing).join()


def _nothing() -> None:
    pass


class ServerUnderFire:
    """A server of a data folder. `started`: seconds until it was ready."""

    def __init__(self, folder: DataFolder, log: Path) -> None:
        self._folder = folder
        self._port_file = folder.path / "port"
        self._port_file.unlink(missing_ok=True)
        self._log = log
        begun = time.monotonic()
        arguments = ["serve", "--data", str(folder.path), "--port", "0", "--port-file", str(self._port_file)]
        self.process = start(_serve, [*arguments, "--workers", "0"], log)
        self.served = self._wait()
        self.started = time.monotonic() - begun

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join(PATIENCE)

    def terminate(self) -> tuple[int | None, float]:
        """Ask it to stop: its exit status, and the seconds that it took."""
        begun = time.monotonic()
        self.process.terminate()
        self.process.join(PATIENCE)
        return self.process.exitcode, time.monotonic() - begun

    def _wait(self) -> Served:
        end = time.monotonic() + PATIENCE
        while not self._port_file.exists():
            assert self.process.is_alive(), self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.002)
        return Served(int(self._port_file.read_text()), (self._folder.tls / CA_CERTIFICATE).read_bytes())


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[None]:
    """What the process prints goes to the end of a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(descriptor, number)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    yield


def _serve(arguments: list[str], log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ[ENVIRONMENT] = PASSPHRASE.reveal().decode()
    from tpsi_server.cli import main

    with output_to(log):
        main(arguments)


def match_until_killed(folder: DataFolder, lease: float, batch: int) -> None:
    """The life of a matching process: work, look for more, until somebody ends it."""
    from tpsi_server import matching
    from tpsi_server.crew import OwnCrew
    from tpsi_server.keys import KeyRing
    from tpsi_server.store import Store
    from tpsi_server.tables import TableRepository

    matching.MATCH_LEASE, matching.BATCH = lease, batch
    keys = KeyRing(folder.keys, PASSPHRASE, cost=COST)
    with Store.open(folder.location, keys.data_key) as store:
        matcher = matching.Matcher(store, TableRepository(folder, store), keys, OwnCrew())
        while True:
            if not matcher.step(0.01):
                time.sleep(0.02)


def use_device(home: Path, commands: list[list[str]], log: Path) -> None:
    """Run some commands of a device, one after the other."""
    os.environ["TPSI_HOME"] = str(home)
    from tpsi_client.cli import main

    with output_to(log):
        for command in commands:
            sys.argv[1:] = command
            with contextlib.suppress(SystemExit):
                main()
