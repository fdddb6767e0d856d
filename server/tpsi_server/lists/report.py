"""The report: what an import read, took, ignored and refused, counted record by record."""

from collections import Counter
from typing import Any, TypeVar

from tpsi_server.lists.records import Addition, Deletion, Ignored, Reason, Record, Refusal

#: Refusals that a report keeps word for word; the rest are counted.
KEPT_REFUSALS = 20
#: Kinds that are counted by name. A file can invent a new one on each line; those beyond go into one count.
MAX_KINDS = 100
_OTHER_KINDS = "other kinds"

_Name = TypeVar("_Name", bound=str)


class ImportReport:
    """Counts of one import.

    `entries` are the lines or entries that gave records; `additions` the hashes named, of which
    `distinct` are different and `duplicates` repeat; `deletions` the withdrawals. `ignored` counts
    well-formed content by kind, `refused` faulty content by reason, and `refusals` holds the first ones.
    """

    def __init__(self, keep: int = KEPT_REFUSALS) -> None:
        self.entries = 0
        self.additions = 0
        self.deletions = 0
        self.ignored: Counter[str] = Counter()
        self.refused: Counter[Reason] = Counter()
        self.refusals: list[Refusal] = []
        self._keep = keep
        self._last = 0
        self._seen: dict[str, set[bytes]] = {}

    def count(self, record: Record) -> None:
        """Take in the next record of the list."""
        if record.number == 0 or record.number != self._last:
            self.entries += 1
        self._last = record.number
        match record:
            case Addition():
                self.additions += 1
                self._seen.setdefault(record.item.type, set()).add(record.item.digest)
            case Deletion():
                self.deletions += 1
            case Ignored():
                known = record.kind in self.ignored or len(self.ignored) < MAX_KINDS
                self.ignored[record.kind if known else _OTHER_KINDS] += 1
            case Refusal():
                self.refused[record.reason] += 1
                if len(self.refusals) < self._keep:
                    self.refusals.append(record)

    @property
    def distinct(self) -> int:
        """How many different hashes were named."""
        return sum(len(digests) for digests in self._seen.values())

    @property
    def duplicates(self) -> int:
        """How many additions named a hash that the file had named before."""
        return self.additions - self.distinct

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "entries": self.entries,
            "additions": self.additions,
            "distinct": self.distinct,
            "duplicates": self.duplicates,
            "deletions": self.deletions,
            "ignored": dict(_ranked(self.ignored)),
            "refused": {str(reason): count for reason, count in _ranked(self.refused)},
            "refusals": [
                {"unit": str(r.unit), "line": r.line, "reason": str(r.reason), "detail": r.detail}
                for r in self.refusals
            ],
            "refusals_not_shown": self._not_shown,
        }

    def lines(self) -> list[str]:
        """The report as lines of plain text for a terminal."""
        lines = [
            f"entries read  {self.entries}",
            f"additions     {self.additions} ({self.distinct} distinct, {self.duplicates} repeated)",
            f"deletions     {self.deletions}",
            f"ignored       {_summary(self.ignored)}",
            f"refused       {_summary(self.refused)}",
        ]
        lines += [f"  {refusal}" for refusal in self.refusals]
        if self._not_shown:
            lines.append(f"  and {self._not_shown} more")
        return lines

    @property
    def _not_shown(self) -> int:
        return self.refused.total() - len(self.refusals)


def _ranked(counts: Counter[_Name]) -> list[tuple[_Name, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _summary(counts: Counter[_Name]) -> str:
    total = counts.total()
    return f"{total} ({', '.join(f'{name} {count}' for name, count in _ranked(counts))})" if total else "0"
