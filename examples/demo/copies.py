"""What became of copies of listed pictures: which probe of each found the list's hash."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: what was done to it, its bits that differ from the listed hash, the probe (from 0) that is the listed
    hash, whether it was revealed and how far its second hash is from the listed picture's; its small picture."""

    treatment: str
    bits: int
    probe: int | None
    revealed: bool
    distance: int | None
    picture: bytes

    @property
    def uri(self) -> str:
        """The small picture, for a page that loads nothing."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.picture).decode('ascii')}"

    @property
    def found_by(self) -> str:
        """The probe in words."""
        if self.probe is None:
            return "none"
        return "its own hash" if self.probe == 0 else f"probe {self.probe + 1}"


@dataclass(frozen=True, slots=True)
class Copies:
    """The act's result."""

    copies: tuple[Copy, ...]
    probes: int
    threshold: int

    @property
    def found(self) -> int:
        """Copies that one of their probes finds."""
        return sum(copy.probe is not None for copy in self.copies)

    @property
    def found_at_once(self) -> int:
        """Copies whose own hash is still the listed one."""
        return sum(copy.probe == 0 for copy in self.copies)
