"""Pools that are larger than the decoder takes on: it then looks at a random subset of D shares.

Of a real and e synthetic shares, a' real ones are in the subset, with a hypergeometric distribution, and the pool is
revealed if u·(a' − t − 1) ≥ D − a'. What is computed here is a lower bound: the smaller subsets that are
tried too are left out, and a is rounded down and e up, to one of some dozens of steps.
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from tpsi.plan.balls import Ball, to_float
from tpsi.plan.floats import Floats, binomial_floats, log_factorials

_BLOCKS, _GROUPS = 96, 32
#: Standard deviations on each side of the mean; what lies beyond has a chance below 10^-30.
_WIDTH = 12
#: Survivors that are less likely are left out.
_NEGLIGIBLE = 1e-18


@dataclass(frozen=True, slots=True)
class Subset:
    """The subset that the decoder looks at, and how many real shares it needs there."""

    size: int
    rows: int
    threshold: int

    @property
    def needed(self) -> int:
        """The least a' with u·(a' − t − 1) ≥ D − a'."""
        return -(-(self.size + self.rows * (self.threshold + 1)) // (self.rows + 1))

    def chance(self, real: int, synthetic: int) -> float:
        """P[a' ≥ needed] for a pool of so many shares."""
        last = min(real, self.size)
        if last < self.needed:
            return 0.0
        k = np.arange(max(self.needed, self.size - synthetic), last + 1)
        logs = log_factorials(real + synthetic)

        def ways(whole: int, part: NDArray[np.intp]) -> Floats:
            return np.asarray(logs[whole] - logs[part] - logs[whole - part])

        every = ways(real + synthetic, np.array([self.size]))
        return min(1.0, float(np.exp(ways(real, k) + ways(synthetic, self.size - k) - every).sum()))


def is_possible(trials: int, rate: Ball, size: int) -> bool:
    """Whether Binomial(trials, rate) may well exceed the size of the subset."""
    return _range(trials, rate)[1] > size


def chance_beyond(subset: Subset, survivors: Floats, chosen: float, trials: int, rate: Ball) -> float:
    """The chance to reveal by a pool that is larger than the subset.

    `survivors[a]` = P[a of len − 1 listed pictures survive]; each of the others is synthetic with the chance `chosen`,
    and so is each of `trials` further pictures with the chance `rate`.
    """
    first, last = _range(trials, rate)
    others = _pmf(first, last, trials, rate)
    likely = np.flatnonzero(survivors > _NEGLIGIBLE)
    total = 0.0
    for group in np.array_split(likely, min(_GROUPS, len(likely))):
        real, weight = int(group[0]), float(survivors[group].sum())
        mass = np.convolve(others, binomial_floats(len(survivors) - 1 - real, chosen))
        for part in np.array_split(np.arange(len(mass)), min(_BLOCKS, len(mass))):
            synthetic, chance = first + int(part[-1]), float(mass[part].sum())
            if chance > _NEGLIGIBLE and real + synthetic > subset.size:
                total += weight * chance * subset.chance(real, synthetic)
    return total


def _range(trials: int, rate: Ball) -> tuple[int, int]:
    mean = trials * to_float(rate)
    width = int(_WIDTH * (mean * (1 - to_float(rate))) ** 0.5) + _WIDTH
    return max(0, int(mean) - width), min(trials, int(mean) + width)


def _pmf(first: int, last: int, trials: int, rate: Ball) -> Floats:
    """P[Binomial(trials, rate) = k] for k = first … last."""
    with ctx.workprec(256):
        rest = arb(trials - first)
        ways = arb(trials + 1).lgamma() - arb(first + 1).lgamma() - (rest + 1).lgamma()
        value = (ways + first * rate.log() + rest * (1 - rate).log()).exp()
        odds, values = rate / (1 - rate), []
        for k in range(first, last + 1):
            values.append(to_float(value))
            value = value * (trials - k) * odds / (k + 1)
    return np.array(values)
