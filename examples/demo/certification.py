"""The auditor's acts: the table is certified before devices take it, and one with a hash that was slipped in is not."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from examples.demo.auditor import Auditor
from examples.demo.errors import DemoError
from examples.demo.hashlists import HashList
from examples.demo.host import Host
from examples.demo.narration import Narrator
from examples.demo.phone import Phone
from examples.demo.photos import HASH_TYPE
from examples.demo.wording import counted
from tpsi.items import DIGEST_SIZES

#: Epochs of the two acts.
_HONEST, _DOCTORED = "1", "2"


@dataclass(frozen=True)
class Certification:
    """The auditor and the operator, between whom packages and signatures go back and forth in `work`."""

    auditor: Auditor
    host: Host
    work: Path
    narrator: Narrator

    def certify(self, lists: Sequence[HashList]) -> None:
        """The operator makes a package; the auditor checks it against the sources' lists, and signs."""
        self.narrator.step("An auditor checks the table")
        package = self.work / "package"
        with self.narrator.waiting("proving what the table holds"):
            self.auditor.make_key()
            self.auditor.get_copies(lists)
            self.host.operate("audit", "prepare", _HONEST, "--to", package)
        with self.narrator.waiting("checking the proof"):
            self.host.operate("audit", "accept", self.auditor.certify(package))
        self.narrator.tell(
            "The auditor has the lists from their sources, and a proof from the server. It found that the table holds "
            "exactly what both sources name, and has room for nothing else, without learning the server's secret. It "
            "signed the manifest. The devices will use no table that it has not signed."
        )

    def slip_in(self, lists: Sequence[HashList], phones: Sequence[Phone]) -> None:
        """The operator adds a hash under the names of both sources, and neither auditor nor devices take the table.

        Raises DemoError if any of them does.
        """
        self.narrator.step("The operator slips in one hash")
        package = self.work / "doctored"
        with self.narrator.waiting("building another table"):
            self._doctor(lists)
            self.host.operate("audit", "prepare", _DOCTORED, "--to", package)
        with self.narrator.waiting("checking the proof"):
            reason = self.auditor.refuse(package)
        if "names" not in reason:
            raise DemoError(f"the auditor refused the doctored table, but not for what it holds: {reason}")
        self.narrator.tell(f"It builds a table with a hash that no source has named. The auditor refuses: {reason}.")
        with self.narrator.waiting("devices look for a newer table"), ThreadPoolExecutor(len(phones)) as pool:
            refusals = list(pool.map(Phone.fetch_refused, phones))
        if wrong := [refusal for refusal in refusals if "auditor" not in refusal]:
            raise DemoError(f"a device refused the doctored table for another reason: {wrong[0]}")
        self.narrator.tell(
            f"All {counted(len(phones), 'device')} refuse it, too, as the auditor's signature is missing, and stay "
            "with the table that they have."
        )

    def _doctor(self, lists: Sequence[HashList]) -> None:
        slipped = self.work / "slipped.txt"
        slipped.write_text("ab" * DIGEST_SIZES[HASH_TYPE] + "\n", "ascii")
        for one in lists:
            self.host.operate("list", "import", slipped, "--source", one.source, "--type", HASH_TYPE)
        self.host.operate("build")
