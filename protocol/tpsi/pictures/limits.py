"""Bounds on what is read of one file."""

from dataclasses import dataclass

from tpsi.errors import CallerError

#: Pixels are held at 4 bytes each, and hashing needs about 4 more: half a gigabyte at this limit. The
#: largest pictures of common phone cameras have 50 million.
MAX_PIXELS = 64_000_000

#: A file is held whole while it is decoded; 16-bit pictures of 50 million pixels compress to less.
MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file: bytes that are held in memory, and pixels that are decoded."""

    max_file_bytes: int = MAX_FILE_BYTES
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.max_file_bytes < 1 or self.max_pixels < 1:
            raise CallerError("limits on a picture's bytes and pixels are at least 1")
