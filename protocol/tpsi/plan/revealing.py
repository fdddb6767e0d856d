"""The chance that an account with k listed pictures is revealed.

Of k listed pictures, each is recognised with probability r (recall: the copy may be too far from the original), and in
mode replace each picture, listed or not, is chosen with probability s to be a synthetic voucher instead, which loses
the match. So with a survivors and e synthetic shares (specification, section 9):

- a ~ Binomial(k, r·(1 − s)); of the k − a others each is synthetic with probability s/(1 − r·(1 − s)), and of the n − k
  pictures that are not listed each with s; e is the sum. In mode add: a ~ Binomial(k, r), e ~ Binomial(n, s).
- all survivors are revealed if u·(a − t − 1) ≥ e and a ≥ t + 1, provided that a + e shares are no more than the
  decoder takes on (`decoding.WORK_LIMIT`); of larger pools it looks at a random subset (`subsets`).

All terms of the sums are positive, so that doubles hold them to some ten digits; where doubles end, balls go on.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import log10

import numpy as np
from flint import arb, ctx

from tpsi.decoding import WORK_LIMIT, work
from tpsi.errors import CallerError
from tpsi.parameters import Sharing, Synthetic, SyntheticMode
from tpsi.plan.balls import Ball, to_float
from tpsi.plan.floats import Floats, binomial_floats
from tpsi.plan.outcome import Probability
from tpsi.plan.subsets import Subset, chance_beyond, is_possible

#: Listed pictures on one device for which the chance is computed.
MAX_LISTED = 5000
#: Shares that no decoder takes on, whatever its parameters.
_ALL = 1 << 20
_BITS = 256
#: Below it, sums are done in balls, which have no smallest number.
_SMALL = 1e-250


@dataclass(frozen=True, slots=True)
class Decision:
    """What decides over a reveal: vouchers of the account, sharing, synthetic vouchers, and recall."""

    vouchers: int
    sharing: Sharing
    synthetic: Synthetic
    recall: float = 1.0

    def __post_init__(self) -> None:
        if self.vouchers < 1:
            raise CallerError("an account sends at least one voucher")
        if not 0 < self.recall <= 1:
            raise CallerError(f"recall is above 0 and at most 1, not {self.recall}")

    @property
    def decodable(self) -> int:
        """The largest number of shares that the decoder takes on."""
        rows, threshold = self.sharing.rows, self.sharing.threshold
        return bisect_right(range(1, _ALL), WORK_LIMIT, key=lambda count: work(count, rows, threshold))

    def tolerated(self, survivors: int, decodable: int) -> int:
        """The most synthetic shares among which so many survivors are found; -1 if they are too few anyway."""
        past = survivors - self.sharing.threshold - 1
        return min(self.sharing.rows * past, decodable - survivors) if past >= 0 else -1

    @property
    def _replaces(self) -> bool:
        return self.synthetic.mode is SyntheticMode.REPLACE

    def others(self, listed: int) -> int:
        """Pictures that are synthetic by chance, whatever becomes of the listed ones."""
        return self.vouchers - listed * self._replaces

    def survival(self) -> tuple[Ball, Ball]:
        """The chance that a listed picture is a match that survives, and its complement."""
        hit = arb(self.recall) * (1 - _rate(self.synthetic) * self._replaces)
        return hit, 1 - hit

    def chosen(self) -> Ball:
        """The chance that a listed picture that did not survive is a synthetic voucher."""
        if not self._replaces:
            return arb(0)
        if self.recall == 1:
            return arb(1)
        rate = _rate(self.synthetic)
        return rate / (rate + (1 - arb(self.recall)) * (1 - rate))


@lru_cache(maxsize=1024)  # the searches for several chances ask for the same numbers
def chance_to_reveal(decision: Decision, listed: int) -> Probability:
    """The probability that an account with so many listed pictures is revealed."""
    if not 0 <= listed <= min(decision.vouchers, MAX_LISTED):
        raise CallerError(f"listed pictures are 0 to the number of vouchers, and at most {MAX_LISTED}")
    first = decision.sharing.threshold + 1
    if listed < first:
        return Probability.of(arb(0))
    decodable = decision.decodable
    limits = {a: decision.tolerated(a, decodable) for a in range(first, listed + 1)}
    with ctx.workprec(_BITS):
        survivors = binomial(listed, *decision.survival(), listed)
        rate = _rate(decision.synthetic)
        below = list(accumulate(binomial(decision.others(listed), rate, 1 - rate, max(0, *limits.values()))))
        whole = np.array([to_float(value) for value in below])
        chosen = decision.chosen()
        terms = [to_float(survivors[a]) * _at_most(limits[a], listed - a, to_float(chosen), whole) for a in limits]
        total = float(sum(terms))
        if is_possible(decision.others(listed), rate, decodable - listed):
            subset = Subset(decodable, decision.sharing.rows, decision.sharing.threshold)
            found = np.array([to_float(value) for value in survivors])
            total += chance_beyond(subset, found, to_float(chosen), decision.others(listed), rate)
        total = min(1.0, total)
        if total > _SMALL:
            return Probability(total, log10(total))
        return Probability.of(sum((survivors[a] * _ball(limits[a], listed - a, chosen, below) for a in limits), arb(0)))


def smallest_revealed(decision: Decision, wished: float) -> int | None:
    """The fewest listed pictures that are revealed with this probability; None if up to MAX_LISTED are not enough."""
    largest = min(decision.vouchers, MAX_LISTED)
    if largest <= decision.sharing.threshold:
        return None
    low, step = decision.sharing.threshold, min(largest, decision.sharing.threshold + 1)
    while chance_to_reveal(decision, step).value < wished:
        if step == largest:
            return None
        low, step = step, min(largest, step + max(8, step // 2))
    while step - low > 1:
        middle = (low + step) // 2
        if chance_to_reveal(decision, middle).value >= wished:
            step = middle
        else:
            low = middle
    return step


def binomial(trials: int, hit: Ball, miss: Ball, last: int) -> list[Ball]:
    """P[Binomial(trials, hit) = k] for k = 0 … last, at the present precision."""
    if miss.is_zero():
        return [arb(int(k == trials)) for k in range(last + 1)]
    values = [miss**trials]
    for k in range(min(trials, last)):
        values.append(values[-1] * (trials - k) * hit / ((k + 1) * miss))
    return values + [arb(0)] * (last + 1 - len(values))


def _at_most(limit: int, lost: int, chosen: float, below: Floats) -> float:
    """P[Binomial(lost, chosen) + others ≤ limit], `below` being the distribution function of the others."""
    if limit < 0 or not below[limit]:
        return 0.0
    own = binomial_floats(lost, chosen, limit)
    return float(own @ below[limit - np.arange(len(own))])


def _ball(limit: int, lost: int, chosen: Ball, below: list[Ball]) -> Ball:
    """The same in balls, for chances that no double holds."""
    if limit < 0:
        return arb(0)
    own = binomial(lost, chosen, 1 - chosen, min(lost, limit))
    return sum((own[k] * below[limit - k] for k in range(len(own))), arb(0))


def _rate(synthetic: Synthetic) -> Ball:
    return arb(synthetic.per_million) / 10**6
