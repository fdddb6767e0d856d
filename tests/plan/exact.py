"""The planner's distributions once more, in fractions, slowly: by the definition and nothing else."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, factorial


def binomial(trials: int, chance: Fraction) -> list[Fraction]:
    """P[Binomial = k] for k = 0 … trials."""
    return [comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(trials + 1)]


def beta_binomial(trials: int, a: Fraction, b: Fraction) -> list[Fraction]:
    """P[beta-binomial = k], by rising factorials."""
    return [comb(trials, k) * rising(a, k) * rising(b, trials - k) / rising(a + b, trials) for k in range(trials + 1)]


def rising(value: Fraction, count: int) -> Fraction:
    """value·(value + 1) … with `count` factors."""
    result = Fraction(1)
    for k in range(count):
        result *= value + k
    return result


def convolve(left: list[Fraction], right: list[Fraction]) -> list[Fraction]:
    """The distribution of a sum."""
    result = [Fraction(0)] * (len(left) + len(right) - 1)
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            result[i + j] += one * other
    return result


def poisson_head(mean: Fraction, last: int) -> Iterator[Fraction]:
    """P[Poisson = k]·exp(mean)."""
    return (mean**k / factorial(k) for k in range(last + 1))


def revealed(listed: int, others: int, *, rate: Fraction, recall: Fraction, threshold: int, rows: int) -> Fraction:
    """Mode replace, every picture on its own: each listed one survives, is synthetic, or is lost; the others follow."""
    fates = ((1, 0, recall * (1 - rate)), (0, 1, rate), (0, 0, (1 - recall) * (1 - rate)))
    innocent = binomial(others, rate)
    total = Fraction(0)
    for chosen in product(fates, repeat=listed):
        survivors, synthetic = sum(fate[0] for fate in chosen), sum(fate[1] for fate in chosen)
        weight = Fraction(1)
        for fate in chosen:
            weight *= fate[2]
        if survivors > threshold:
            limit = rows * (survivors - threshold - 1) - synthetic
            total += weight * sum(innocent[: limit + 1], Fraction(0)) if limit >= 0 else 0
    return total
