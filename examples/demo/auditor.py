"""The auditor: the verbs of `tpsi-audit` that the demonstration uses, with a key and copies of the lists of its own."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from examples.demo.hashlists import HashList
from examples.demo.photos import HASH_TYPE
from examples.demo.processes import Processes
from tpsi.items import DIGEST_SIZES


class Auditor:
    """Somebody whom devices' owners trust, in a folder that the server's operator has no access to."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder, self._processes = folder, processes
        self._environment = {"TPSI_AUDIT_PASSPHRASE": secrets.token_urlsafe(24)}
        self._sources: list[str] = []

    @property
    def key(self) -> Path:
        """The public key, which devices' owners get from the auditor."""
        return self._folder / "auditor.key.pub"

    def make_key(self) -> None:
        """Make the key to sign with."""
        self._folder.mkdir()
        self._run("keygen", self._folder / "auditor.key")

    def get_copies(self, lists: Sequence[HashList]) -> None:
        """Take the lists from the sources, not from the server."""
        digest = re.compile(rf"\b[0-9a-f]{{{2 * DIGEST_SIZES[HASH_TYPE]}}}\b")
        for number, one in enumerate(lists):
            copy = self._folder / f"{number}.txt"
            found = digest.findall(one.path.read_text("ascii"))
            copy.write_text("".join(f"{HASH_TYPE}:{digits}\n" for digits in found), "ascii")
            self._sources += ["--source", f"{one.source}={copy}"]

    def certify(self, package: Path) -> Path:
        """Check a table, and sign its manifest; the signature. Raises DemoError if the auditor refuses."""
        signature = self._folder / f"{package.name}.signature"
        self._run(*self._verify(package, signature))
        return signature

    def refuse(self, package: Path) -> str:
        """Check a table that is not as it should be; why the auditor refuses. Raises DemoError if it signs."""
        signature = self._folder / f"{package.name}.signature"
        return self._processes.refused("tpsi-audit", *self._verify(package, signature), environment=self._environment)

    def _verify(self, package: Path, signature: Path) -> list[str | Path]:
        signing: list[str | Path] = ["--sign-with", self._folder / "auditor.key", "--to", signature]
        return ["verify", package, *self._sources, *signing]

    def _run(self, *arguments: str | Path) -> str:
        return self._processes.run("tpsi-audit", *arguments, environment=self._environment)
