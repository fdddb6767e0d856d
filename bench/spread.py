"""Median and quartiles of repeated samples, and of their ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.errors import BenchError

#: Seconds to microseconds.
MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some samples, and the quartiles (by linear interpolation) between which half of them lie."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """The spread of at least one sample; BenchError if there is none."""
        if not samples:
            raise BenchError("there is no spread of no samples")
        lower, median, upper = np.percentile(samples, (25, 50, 75)).tolist()
        return cls(median, lower, upper)

    def scaled(self, factor: float) -> Self:
        """The same in another unit."""
        return type(self)(self.median * factor, self.lower * factor, self.upper * factor)

    @property
    def range(self) -> float:
        """The interquartile range."""
        return self.upper - self.lower

    def to_json(self) -> dict[str, float]:
        """As it stands in the document for programs."""
        return {"median": self.median, "lower_quartile": self.lower, "upper_quartile": self.upper}


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> tuple[float, ...]:
    """Ratios of samples that were taken side by side, pair by pair: what slows the machine down hits both of a pair."""
    if len(numerators) != len(denominators):
        raise BenchError("samples of another number of rounds do not pair")
    return tuple(n / d for n, d in zip(numerators, denominators, strict=True))
