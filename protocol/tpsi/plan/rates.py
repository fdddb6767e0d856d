"""What a measurement says about a false-match rate, and what it does not.

k false matches among m pairs of an innocent picture and a listed hash give the exact bounds of Clopper and Pearson
(1934): with the wished confidence the rate is at most the p with P[Binomial(m, p) ≤ k] = 1 − confidence. No match in
866 350 pairs does not mean that the rate is 0, but that it is below 3.5·10^-6; and a picture is compared with *every*
hash of a list, so that for a list of a million this bound says nothing at all.

Pairs that share a picture are not independent, so the true uncertainty is larger than these bounds.
"""

import math
from dataclasses import dataclass
from itertools import accumulate

from flint import arb

from tpsi.errors import CallerError
from tpsi.plan.balls import Ball, is_at_most

#: One-sided confidence of a bound, unless another is asked for.
DEFAULT_CONFIDENCE = 0.95
_TERMS = 2000
_STEPS = 80  # halvings: the bounds are right to 2^-60 and better, relatively


@dataclass(frozen=True, slots=True)
class Measurement:
    """`false_matches` among `pairs` of an innocent picture, with its `probes`, and a listed hash of type `hash`."""

    hash: str
    probes: int
    pairs: int
    false_matches: int
    confidence: float = DEFAULT_CONFIDENCE

    def __post_init__(self) -> None:
        if not 1 <= self.pairs <= 10**15 or not 0 <= self.false_matches <= self.pairs:
            raise CallerError("a measurement has at least one pair, and no more false matches than pairs")
        if not 0.5 <= self.confidence < 1:
            raise CallerError(f"a confidence is at least 0.5 and below 1, not {self.confidence}")
        if self.probes < 1:
            raise CallerError("a measurement was made with at least one probe")

    @property
    def estimate(self) -> float:
        """False matches by pairs."""
        return self.false_matches / self.pairs

    @property
    def upper(self) -> float:
        """The upper confidence bound of the rate, rounded up; below 1."""
        if self.false_matches == self.pairs:
            return 1 - 2**-53
        found = _solve(self.pairs, self.false_matches, 1 - self.confidence)
        return min(math.nextafter(found, 1), 1 - 2**-53)

    @property
    def lower(self) -> float:
        """The lower confidence bound of the rate, rounded down; 0 if there was no false match."""
        if not self.false_matches:
            return 0.0
        return math.nextafter(_solve(self.pairs, self.false_matches - 1, self.confidence), 0)


def pairs_for(rate: float, confidence: float = DEFAULT_CONFIDENCE) -> int:
    """Pairs without any false match that are needed to show that the rate is at most this."""
    if not 0 < rate < 1:
        raise CallerError("a rate to be shown is between 0 and 1")
    return math.ceil(math.log1p(-confidence) / math.log1p(-rate))


def _solve(pairs: int, matches: int, level: float) -> float:
    """The p with P[Binomial(pairs, p) ≤ matches] = level, by halving on a logarithmic scale."""
    low, high = 1e-18, 1 - 2**-53
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if not low < middle < high:
            break
        if _is_at_most(pairs, matches, middle, level):
            high = middle
        else:
            low = middle
    return high


def _is_at_most(pairs: int, matches: int, rate: float, level: float) -> bool:
    """Whether P[Binomial(m, p) ≤ k] ≤ level: k + 1 terms, or I_{1−p}(m − k, k + 1) if they are many."""
    if matches > _TERMS:
        return is_at_most(lambda: (1 - arb(rate)).beta_lower(arb(pairs - matches), arb(matches + 1), True), level)

    def head() -> Ball:
        odds = arb(rate) / (1 - arb(rate))
        ratios = (odds * (pairs - k) / (k + 1) for k in range(matches))
        first = ((-arb(rate)).log1p() * pairs).exp()
        return sum(accumulate(ratios, lambda value, ratio: value * ratio, initial=first), arb(0))

    return is_at_most(head, level)
