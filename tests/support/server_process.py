"""A server in a process of its own for tests, as `tpsi-server serve` runs it."""

import os
import signal
import subprocess
import sys
from typing import Self

from tests.support.server_data import PASSPHRASE, wait_for
from tests.support.serving import PATIENCE, Served
from tpsi_server import DataFolder
from tpsi_server.passphrase import ENVIRONMENT as PASSPHRASE_VARIABLE
from tpsi_server.tls import CA_CERTIFICATE

_PROGRAM = "from tpsi_server.cli import main; main()"


class ServerProcess:
    """A server, on a free port if not said otherwise; use it in a `with` block, which kills what still runs."""

    def __init__(
        self, folder: DataFolder, *options: str, port: int = 0, passphrase: bytes = PASSPHRASE.reveal()
    ) -> None:
        self._folder = folder
        self.port_file = folder.path / "port"
        where = ["--data", str(folder.path), "--port", str(port), "--port-file", str(self.port_file)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "serve", *where, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {PASSPHRASE_VARIABLE: passphrase.decode()},
        )

    def kill(self) -> None:
        """End it at once, as a power cut or the system would."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def served(self) -> Served:
        """Where it is, once it is ready."""
        wait_for(lambda: self.port_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()
        return Served(int(self.port_file.read_text().split()[0]), (self._folder.tls / CA_CERTIFICATE).read_bytes())

    def for_certificates(self) -> Served:
        """Where clients with certificates connect; for a server that was started with a port for them."""
        first = self.served()
        return Served(int(self.port_file.read_text().split()[1]), first.ca)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and wait for the end: exit status, output, errors."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Wait for the end: exit status, output, errors (without what the log says besides)."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        faults = [line for line in errors.splitlines(keepends=True) if " INFO tpsi_server" not in line]
        return self.process.returncode, output, "".join(faults)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.kill()
