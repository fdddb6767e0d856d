"""One device: the verbs of `tpsi-device` that the demonstration uses, in a home folder of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.demo.errors import DemoError
from examples.demo.processes import Processes
from examples.demo.promise import ROWS
from tpsi import Pool, Sharing, derive
from tpsi.account import is_chosen
from tpsi.items import ItemHash
from tpsi_client.account_secret import AccountSecret
from tpsi_client.container import read_vouchers
from tpsi_client.home import Home
from tpsi_client.local import LocalDevice


@dataclass(frozen=True, slots=True)
class Phone:
    """The device of one account; every method is a `tpsi-device` process run to its end."""

    name: str
    home: Path
    processes: Processes

    def enrol(self, file: Path, auditor: Path) -> None:
        """Join with the operator's file: check the server, fetch and verify the table, check the own hashing.

        From then on the device uses no table that the auditor with this public key has not signed.
        """
        self._run("enrol", file, "--auditor", auditor)

    def fetch_refused(self) -> str:
        """Look for a newer table that must not be taken; why it is not. Raises DemoError if it is."""
        return self.processes.refused("tpsi-device", "fetch", environment={"TPSI_HOME": str(self.home)})

    def sync(self, pictures: Path) -> None:
        """Look for a newer table, hash and seal the pictures of a folder, upload."""
        self._run("sync", pictures)

    def sync_keeping_one(self, pictures: Path, file: Path) -> bytes:
        """The same in single steps, with a look at one of the vouchers before they go."""
        self._run("scan", pictures)
        self._run("export", file)
        with file.open("rb") as stream:
            voucher = next(read_vouchers(stream), None)
        if voucher is None:
            raise DemoError(f"{self.name}'s device exported no voucher")
        self._run("upload")
        return voucher

    def replaces(self, threshold: int, per_million: int) -> Callable[[ItemHash], bool]:
        """For which pictures it will send a synthetic voucher, as only a device that has its secret can know (6.4).

        The demonstration looks this up to deal albums with an exact number of matches, and to say beforehand what
        the server must see.
        """
        device = LocalDevice.open(self.home, read_only=True)
        generation = device.state.generation
        device.close()
        secret = AccountSecret.load(Home(self.home))
        keys = derive(secret.secret, Pool(secret.list_id, generation, Sharing(threshold, ROWS)))
        return lambda item: is_chosen(keys, item.encode(), per_million)

    def _run(self, *arguments: str | Path) -> None:
        self.processes.run("tpsi-device", *arguments, environment={"TPSI_HOME": str(self.home)})
