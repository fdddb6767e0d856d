"""What the server sees below the threshold: how many vouchers open, with matches and without.

Mode replace: of n vouchers, a of them matches, the number that opens is a + Binomial(n − a, s), s being the synthetic
rate.
Mode add: a + Binomial(n, s), and whoever knows how many pictures there are knows more. Without synthetic vouchers: a.

The ratio of the probabilities of an outcome with a matches and with none rises with the outcome, so the best test
between them is "at least v vouchers opened", and its advantage (the total variation distance) is the largest
difference of the two distribution functions: two incomplete beta functions, computed rigorously.
"""

from dataclasses import dataclass
from functools import partial
from math import erf, perm, sqrt

from flint import arb

from tpsi.errors import CallerError
from tpsi.parameters import Synthetic, SyntheticMode
from tpsi.plan.balls import Ball, exact, is_at_most, to_float

_MILLION = 10**6


@dataclass(frozen=True, slots=True)
class View:
    """The number of opened vouchers of an account: `vouchers` sent, of which `matches` are matches."""

    vouchers: int
    matches: int
    synthetic: Synthetic

    def __post_init__(self) -> None:
        if not 0 <= self.matches <= self.vouchers:
            raise CallerError("an account has no more matches than vouchers")

    @property
    def _trials(self) -> int:
        return self.vouchers - self.matches * (self.synthetic.mode is SyntheticMode.REPLACE)

    @property
    def rate(self) -> Ball:
        """The synthetic rate, at the present precision."""
        return arb(self.synthetic.per_million) / _MILLION

    @property
    def mean(self) -> float:
        """Of the number opened."""
        return self.matches + self._trials * self.synthetic.per_million / _MILLION

    def cdf(self, opened: int) -> Ball:
        """P[number opened ≤ opened], at the present precision."""
        count = opened - self.matches
        if count < 0:
            return arb(0)
        if count >= self._trials or not self.synthetic.per_million:
            return arb(1)
        return (1 - self.rate).beta_lower(arb(self._trials - count), arb(count + 1), True)

    def quantile(self, level: float) -> int:
        """The least v with P[number opened ≤ v] ≥ level."""
        last = self.matches + self._trials
        low, high = -1, last
        near, step = min(last - 1, max(0, round(self._guess(level)))), 1
        if self._reaches(near, level):
            high = near
            while high - step > low and self._reaches(high - step, level):
                high, step = high - step, 2 * step
            low = max(low, high - step)
        else:
            low = near
            while low + step < high and not self._reaches(low + step, level):
                low, step = low + step, 2 * step
            high = min(high, low + step)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._reaches(middle, level) else (middle, high)
        return high

    def _guess(self, level: float) -> float:
        """Where the normal distribution has the quantile: where to start looking."""
        rate = self.synthetic.per_million / _MILLION
        deviation = sqrt(self._trials * rate * (1 - rate))
        low, high = -40.0, 40.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if (1 + erf(middle / sqrt(2))) / 2 < level else (low, middle)
        return self.mean + high * deviation

    def _reaches(self, opened: int, level: float) -> bool:
        return is_at_most(lambda: 1 - self.cdf(opened), 1 - level)

    def density(self, first: int, last: int) -> list[float]:
        """P[number opened = v] for v = first … last."""
        return [to_float(exact(partial(self._at, opened))) for opened in range(first, last + 1)]

    def _at(self, opened: int) -> Ball:
        count, trials = opened - self.matches, self._trials
        if not 0 <= count <= trials:
            return arb(0)
        if not self.synthetic.per_million:
            return arb(int(count == 0))
        ways = arb(trials + 1).lgamma() - arb(count + 1).lgamma() - arb(trials - count + 1).lgamma()
        return (ways + count * self.rate.log() + (trials - count) * (-self.rate).log1p()).exp()


def advantage(vouchers: int, matches: int, synthetic: Synthetic) -> Ball:
    """The advantage of the best test between `matches` and none: 0 if nothing is seen, 1 if all is."""
    if not matches:
        return arb(0)
    none, some = View(vouchers, 0, synthetic), View(vouchers, matches, synthetic)
    if not synthetic.per_million:
        return arb(1)
    best = _crossing(none, some)
    return exact(lambda: none.cdf(best) - some.cdf(best))


def _crossing(none: View, some: View) -> int:
    """The largest outcome that is at most as likely with matches as without; the ratio rises with the outcome."""
    low, high = some.matches - 1, none.vouchers
    while high - low > 1:
        middle = (low + high) // 2
        if _is_likelier(none, some, middle):
            high = middle
        else:
            low = middle
    return low


def _is_likelier(none: View, some: View, opened: int) -> bool:
    """Whether an outcome is likelier with matches than without, in whole numbers.

    The ratio is (v)_a/((n)_a·s^a) in mode replace, and (v)_a·(1 − s)^a/((n − v + a)_a·s^a) in mode add.
    """
    matches, vouchers = some.matches, none.vouchers
    chosen = none.synthetic.per_million
    if opened > vouchers:
        return True
    left = perm(opened, matches)
    if none.synthetic.mode is SyntheticMode.REPLACE:
        return bool(left * _MILLION**matches > perm(vouchers, matches) * chosen**matches)
    right = perm(vouchers - opened + matches, matches)
    return bool(left * (_MILLION - chosen) ** matches > right * chosen**matches)
