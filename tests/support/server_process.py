"""A server in a process of its own for tests, as `tpsi-server serve` runs it."""

import signal
import subprocess
import sys
from typing import Self

from tests.support.server_data import PASSPHRASE, wait_for
from tests.support.serving import PATIENCE, Served
from tpsi_server import DataFolder
from tpsi_server.tls import CA_CERTIFICATE

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from tpsi import Secret, TpsiError
from tpsi_server import DataFolder, ServeSettings
from tpsi_server.service import run

folder, port_file, port, passphrase = sys.argv[1:]
settings = ServeSettings(
    DataFolder.at(folder), Secret(passphrase.encode()), port=int(port), port_file=Path(port_file), workers=1
)
try:
    sys.exit(asyncio.run(run(settings)))
except TpsiError as error:
    sys.exit(f"tpsi-server: {error}")
"""


class ServerProcess:
    """A server, on a free port if not said otherwise; use it in a `with` block, which kills what still runs."""

    def __init__(self, folder: DataFolder, port: int = 0, passphrase: bytes = PASSPHRASE.reveal()) -> None:
        self._folder = folder
        self.port_file = folder.path / "port"
        arguments = [str(folder.path), str(self.port_file), str(port), passphrase.decode()]
        command = [sys.executable, "-c", _PROGRAM, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self) -> None:
        """End it at once, as a power cut or the system would."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def served(self) -> Served:
        """Where it is, once it is ready."""
        wait_for(lambda: self.port_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()
        return Served(int(self.port_file.read_text()), (self._folder.tls / CA_CERTIFICATE).read_bytes())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and wait for the end: exit status, output, errors."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Wait for the end: exit status, output, errors."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.kill()
