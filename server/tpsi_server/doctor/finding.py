"""A finding: what was looked at, how it is, and what to do."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is."""

    GOOD = "good"
    NOTE = "note"  # worth knowing, or could not be looked at
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, `says` how it is, `do` what to do about it (empty if nothing)."""

    check: str
    level: Level
    says: str
    do: str = ""

    def as_json(self) -> dict[str, str]:
        """The same as plain values."""
        return {name: str(value) for name, value in asdict(self).items()}


def good(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Level.GOOD, says)


def note(check: str, says: str, do: str = "") -> Finding:
    """Worth knowing."""
    return Finding(check, Level.NOTE, says, do)


def fault(check: str, says: str, do: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Level.FAULT, says, do)
