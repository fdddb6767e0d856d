"""The real numbers behind a perceptual hash, of which the hash keeps one bit each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError


@dataclass(frozen=True, eq=False, slots=True)
class Coefficients:
    """What a perceptual hash is made from.

    `values` has shape (n,), in the order of the digest's bits, most significant bit of the first byte first; a
    bit is set where its value is greater than `threshold`, and bits that fill the last byte are not set. So the
    bits likeliest to differ in a re-encoded copy are those with the smallest `abs(values - threshold)`.
    `quality` is 0 (nothing to see) to 100; what it measures is the hash type's own.
    """

    values: NDArray[np.floating[Any]]
    threshold: float
    quality: int

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or not self.values.size:
            raise CallerError("coefficients are one row of values, at least one")
        if not 0 <= self.quality <= 100:
            raise CallerError("a picture's quality is 0 to 100")

    def digest(self) -> bytes:
        """The hash: n / 8 bytes, rounded up."""
        return np.packbits(self.values > self.threshold).tobytes()
