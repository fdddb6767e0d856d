"""What the user chose on the command line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """`photos` is a folder of the user's own pictures, or None for the samples; `keep` keeps the work folder."""

    out: Path
    photos: Path | None
    threshold: int
    hashes: int
    days: int
    seed: int
    keep: bool
