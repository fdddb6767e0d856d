"""What the entries of a log have to be as a whole; anybody who reads all of them can check it (specification, 16.4)."""

import math
from dataclasses import dataclass, field

from tpsi.errors import VerificationError
from tpsi.log.entries import Entry, ManifestEntry, OpeningEntry, PolicyEntry, RevealEntry


@dataclass
class History:
    """The log read from its first entry on; `add` checks one after the other.

    `epochs[i]` is the manifest digest of epoch i + 1; `reveals` counts the reveal entries; `waiting` maps the places of
    those that are not yet open to the time from which on they have to be; `promised` are the times (from, until before)
    in which the log says that accounts are told of reveals.
    """

    size: int = 0
    time: int = 0
    notify_after: int | None = None
    epochs: list[bytes] = field(default_factory=list)
    reveals: int = 0
    waiting: dict[int, int] = field(default_factory=dict)
    promised: list[tuple[int, float]] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """The next entry; VerificationError naming the rule that it breaks."""
        if isinstance(entry, ManifestEntry):
            self._manifest(entry)
        else:
            if entry.time < self.time:
                raise VerificationError(f"{self._place} goes back in time")
            if isinstance(entry, RevealEntry):
                self._reveal(entry)
            elif isinstance(entry, OpeningEntry):
                self._opening(entry)
            else:
                self._policy(entry)
            self.time = entry.time
        self.size += 1

    def overdue(self, now: int) -> list[int]:
        """Places of the commitments that had to be open by now and are not."""
        return [index for index, due in self.waiting.items() if due < now]

    @property
    def _place(self) -> str:
        return f"entry {self.size} of the log"

    def _manifest(self, entry: ManifestEntry) -> None:
        if entry.epoch != len(self.epochs) + 1:
            raise VerificationError(
                f"{self._place} is the manifest of epoch {entry.epoch}, after that of epoch {len(self.epochs)}: "
                "an epoch is missing, or has two manifests"
            )
        self.epochs.append(entry.digest)

    def _policy(self, entry: PolicyEntry) -> None:
        if self.notify_after is not None:
            self.promised[-1] = self.promised[-1][0], entry.time
        self.notify_after = entry.notify_after
        if entry.notify_after is not None:
            self.promised.append((entry.time, math.inf))

    def _reveal(self, entry: RevealEntry) -> None:
        if self.notify_after is None:
            raise VerificationError(f"{self._place} commits to a reveal, while the log says that nobody is told")
        self.reveals += 1
        self.waiting[self.size] = entry.time + self.notify_after

    def _opening(self, entry: OpeningEntry) -> None:
        due = self.waiting.pop(entry.index, None)
        if due is None:
            raise VerificationError(f"{self._place} opens {entry.index}, which is no commitment that is not yet open")
        if entry.time < due:
            raise VerificationError(f"{self._place} opens a commitment {due - entry.time} seconds too early")
