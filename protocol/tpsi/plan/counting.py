"""How many listed hashes an innocent library matches by accident: the exact distribution of the count.

A library of n pictures that have nothing to do with the list is compared with L listed hashes. If a picture and a
listed hash match falsely with probability f, the picture matches none of the list with probability (1 − f)^L. Then the
number of pictures that match is Binomial(n, 1 − (1 − f)^L), **if pictures are independent**.

They are not: a series of shots of one night sky falls together. What is counted is distinct *listed hashes*
(specification, 6.3), so a series that meets one listed hash counts once; but a library that is full of pictures of
little information meets many. `overdispersion` D says by how much the variance of the count is
larger than for independent pictures: the chance of a picture is then itself random from library to library, with a
Beta distribution, and the count is beta-binomial with correlation (D − 1)/(n − 1) between two pictures.

With several hash types a picture makes a voucher for each, and each can match: the counts add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from flint import arb, arb_poly

from tpsi.errors import CallerError
from tpsi.parameters import MAX_THRESHOLD
from tpsi.plan.balls import Ball, exact, is_at_most

#: Pictures of a library, and hashes of a list, for which the arithmetic was tried.
MAX_PICTURES = 10**12


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance that one innocent picture matches some hash of a list: `rate` for each of `listed` hashes."""

    rate: float
    listed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise CallerError(f"a false-match rate is at least 0 and below 1, not {self.rate}")
        if not 1 <= self.listed <= MAX_PICTURES:
            raise CallerError(f"a list has 1 to {MAX_PICTURES} hashes, not {self.listed}")

    def times(self, factor: float) -> "Chance":
        """The same with another rate, at most just below 1."""
        return Chance(min(self.rate * factor, 1 - 2**-53), self.listed)

    def miss(self) -> Ball:
        """The chance that it matches nothing, (1 − f)^L, at the present precision."""
        return ((-arb(self.rate)).log1p() * self.listed).exp()

    def hit(self) -> Ball:
        """The chance that it matches something."""
        return -((-arb(self.rate)).log1p() * self.listed).expm1()


@dataclass(frozen=True, slots=True)
class Library:
    """An innocent library: so many pictures, and the chance of each for every hash type."""

    pictures: int
    chances: tuple[Chance, ...]
    overdispersion: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.pictures <= MAX_PICTURES:
            raise CallerError(f"a library has 1 to {MAX_PICTURES} pictures, not {self.pictures}")
        if not self.chances:
            raise CallerError("name at least one hash type")
        if not 1 <= self.overdispersion < max(self.pictures, 2):
            raise CallerError("overdispersion is at least 1 (independent), and below the number of pictures")

    def times(self, factor: float) -> "Library":
        """The same with every rate multiplied: what if the assumption is wrong?"""
        return Library(self.pictures, tuple(chance.times(factor) for chance in self.chances), self.overdispersion)

    def expected(self) -> Ball:
        """The mean number of false matches."""
        return exact(lambda: sum((chance.hit() for chance in self.chances), arb(0)) * self.pictures)


def head(library: Library, last: int) -> list[Ball]:
    """P[count = k] for k = 0 … last, at the present precision."""
    product = arb_poly([1])
    for chance in library.chances:
        own = _head_of_one(library.pictures, chance, library.overdispersion, last)
        product = arb_poly((product * arb_poly(own)).coeffs()[: last + 1])
    found = list(product.coeffs())
    return found + [arb(0)] * (last + 1 - len(found))


def exceeds(library: Library, threshold: int) -> Ball:
    """P[count > threshold], exactly: 1 − Σ P[count = k], with as many bits as the difference needs."""
    total = library.pictures * len(library.chances)
    if threshold >= total or not any(chance.rate for chance in library.chances):
        return arb(0)
    return exact(lambda: 1 - sum(head(library, threshold), arb(0)))


def smallest_threshold(library: Library, wished: float, limit: int = MAX_THRESHOLD) -> int | None:
    """The least t ≥ 1 with P[count > t] ≤ wished; None if it is none of 1 … limit."""
    check_wish(wished)
    low, high = 0, limit + 1
    while high - low > 1:
        middle = (low + high) // 2
        if meets(library, middle, wished):
            high = middle
        else:
            low = middle
    return None if high > limit else high


def meets(library: Library, threshold: int, wished: float) -> bool:
    """Whether P[count > threshold] ≤ wished."""
    if threshold >= library.pictures * len(library.chances) or not any(c.rate for c in library.chances):
        return True
    return is_at_most(lambda: 1 - sum(head(library, threshold), arb(0)), wished)


def largest_library(chances: tuple[Chance, ...], threshold: int, wished: float, overdispersion: float = 1.0) -> int:
    """The most pictures for which P[count > threshold] ≤ wished; 0 if not even the smallest library will do."""
    check_wish(wished)
    low = max(0, int(overdispersion))  # a smaller library can't have that overdispersion
    high = max(2 * low, 2)
    while high <= MAX_PICTURES and meets(Library(high, chances, overdispersion), threshold, wished):
        low, high = high, high * 2
    high = min(high, MAX_PICTURES + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if meets(Library(middle, chances, overdispersion), threshold, wished):
            low = middle
        else:
            high = middle
    return low


def check_wish(wished: float) -> None:
    """CallerError unless it is a chance that one can wish for."""
    if not 0 < wished < 1:
        raise CallerError(f"the wished chance is between 0 and 1, not {wished}")


def _head_of_one(pictures: int, chance: Chance, overdispersion: float, last: int) -> list[Ball]:
    if overdispersion > 1 and chance.rate:
        return _beta_binomial(pictures, chance, overdispersion, last)
    miss = chance.miss()
    odds = chance.hit() / miss
    ratios = (odds * (pictures - k) / (k + 1) for k in range(min(last, pictures)))
    return _products(miss**pictures, list(ratios))


def _beta_binomial(pictures: int, chance: Chance, overdispersion: float, last: int) -> list[Ball]:
    """The chance of a picture is Beta(a, b), with 1/(a + b + 1) the correlation of two pictures."""
    weight = (pictures - 1) / (arb(overdispersion) - 1) - 1
    a, b = chance.hit() * weight, chance.miss() * weight
    none = (b + pictures).lgamma() + (a + b).lgamma() - b.lgamma() - (a + b + pictures).lgamma()
    ratios = [(pictures - k) * (a + k) / ((k + 1) * (b + pictures - k - 1)) for k in range(min(last, pictures))]
    return _products(none.exp(), ratios)


def _products(first: Ball, ratios: Sequence[Ball]) -> list[Ball]:
    return list(accumulate(ratios, lambda value, ratio: value * ratio, initial=first))
