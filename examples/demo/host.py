"""The server: the verbs of `tpsi-server` that its operator uses in the demonstration."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from examples.demo.cast import SYNTHETIC_RATE
from examples.demo.console import Console
from examples.demo.errors import DemoError
from examples.demo.hashlists import HashList
from examples.demo.photos import HASH_TYPE
from examples.demo.processes import Processes, last_line
from examples.demo.promise import ROWS
from examples.demo.waiting import PATIENCE, until

HOST = "localhost"
PER_MILLION = round(SYNTHETIC_RATE * 1_000_000)


@dataclass(frozen=True, slots=True)
class Table:
    """The table that was built: hashes on the list, cells and octets of it, whether the canary is in it, its file."""

    hashes: int
    cells: int
    octets: int
    canary: bool
    file: Path


class Host:
    """The server in `folder`; every method but `serve` is a `tpsi-server` process run to its end."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder, self._processes = folder, processes
        self._environment = {"TPSI_DATA": str(folder / "data"), "TPSI_PASSPHRASE": secrets.token_urlsafe(24)}
        self._log = folder / "server.log"
        self._serving: Popen[str] | None = None
        self._token = ""
        self.address = ""

    def set_up(self, name: str) -> None:
        """Make the data folder and the signing key."""
        self._run("init", "--name", name)

    def take_in(self, hashes: HashList) -> None:
        """Import one source's list. Raises DemoError if not every entry was taken."""
        done = self._run("list", "import", hashes.path, "--source", hashes.source, "--type", HASH_TYPE, "--json")
        taken = json.loads(done)["hashes_after"]
        if taken != hashes.entries:
            raise DemoError(f"of {hashes.entries} hashes of the {hashes.source} the server took {taken}")

    def build(self, threshold: int) -> Table:
        """Blind what both sources name into a signed table."""
        done = self._run(
            *("build", "--json", "--threshold", str(threshold), "--rows", str(ROWS), "--minimum-sources", "2"),
            *("--synthetic-mode", "replace", "--synthetic-per-million", str(PER_MILLION)),
        )
        built = json.loads(done)
        return Table(built["items"], built["cells"], built["table_bytes"], bool(built["canary"]), Path(built["table"]))

    def serve(self) -> None:
        """Start serving, over TLS, on a port that the system chooses; returns when calls are taken."""
        port_file = self._folder / "port"
        serving = self._processes.start(
            *("tpsi-server", "serve", "--port", "0", "--port-file", port_file),
            log=self._log,
            environment=self._environment,
        )
        self._serving = serving
        if not until(lambda: port_file.exists() or serving.poll() is not None):
            raise DemoError(f"the server has not started in {PATIENCE:.0f} seconds")
        if serving.poll() is not None:
            raise DemoError("the server has not started")
        self.address = f"{HOST}:{int(port_file.read_text('ascii'))}"

    def add_account(self, name: str, file: Path) -> None:
        """Add an account; the file lets its device enrol."""
        self._run("account", "add", name, "--server", self.address, "--enrolment", file)

    def admit_reviewer(self) -> None:
        """Issue a reviewer's token."""
        self._token = json.loads(self._run("account", "token", "--role", "reviewer", "--json"))["token"]

    def reviewer(self) -> Console:
        """A reviewer's window on the running server."""
        authority = (self._folder / "data" / "tls" / "ca.pem").read_bytes()
        return Console(self.address, authority, self._token)

    def explain(self, error: DemoError) -> DemoError:
        """The same error, or the one that led to it: that the server has ended."""
        if self._serving is None or self._serving.poll() is None:
            return error
        return DemoError(f"the server ended by itself, and last said: {last_line(self._log.read_text('utf-8'))}")

    def operate(self, *arguments: str | Path) -> str:
        """Run a verb of the operator's; what it printed."""
        return self._run(*arguments)

    def match_rest(self) -> None:
        """Match all that may still wait, and examine every account that has changed."""
        self._run("match")

    def export(self, name: str, folder: Path) -> None:
        """Write what was revealed of an account into files, for a reviewer."""
        self._run("reveal", "export", name, "--to", folder)

    def _run(self, *arguments: str | Path) -> str:
        return self._processes.run("tpsi-server", *arguments, environment=self._environment)
