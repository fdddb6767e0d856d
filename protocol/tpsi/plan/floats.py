"""Doubles for sums of positive terms."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
_known: Floats = np.zeros(1)


def log_factorials(last: int) -> Floats:
    """The natural logarithms of 0! … at least last!; kept, and made longer when it is too short."""
    global _known  # noqa: PLW0603 (a cache)
    if last >= len(_known):
        longer = np.log(np.arange(1.0, max(2 * last, 1024)))
        _known = np.concatenate([[0.0], np.cumsum(longer)])
    return _known


def binomial_floats(trials: int, chance: float, last: int | None = None) -> Floats:
    """P[Binomial(trials, chance) = k] for k = 0 … last or trials, to some ten digits."""
    k = np.arange((trials if last is None else min(trials, last)) + 1)
    if chance in (0.0, 1.0):
        return np.asarray(k == trials * int(chance), np.float64)
    logs = log_factorials(trials)
    ways = logs[trials] - logs[k] - logs[trials - k]
    return np.asarray(np.exp(ways + k * np.log(chance) + (trials - k) * np.log1p(-chance)))
