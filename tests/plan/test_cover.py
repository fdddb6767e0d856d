"""What the server sees: against enumeration."""

from fractions import Fraction
from itertools import pairwise
from math import isclose, pi, sqrt

import pytest

from tests.plan.exact import binomial
from tpsi import Synthetic, SyntheticMode
from tpsi.plan import View, advantage

REPLACE = Synthetic(SyntheticMode.REPLACE, 125_000)
ADD = Synthetic(SyntheticMode.ADD, 125_000)
NONE = Synthetic(SyntheticMode.NONE, 0)


def distribution(vouchers: int, matches: int, synthetic: Synthetic) -> list[Fraction]:
    """P[opened = v] for v = 0 … 2·vouchers."""
    trials = vouchers - matches if synthetic.mode is SyntheticMode.REPLACE else vouchers
    found = [Fraction(0)] * matches + binomial(trials, Fraction(synthetic.per_million, 10**6))
    return found + [Fraction(0)] * (2 * vouchers + 1 - len(found))


@pytest.mark.parametrize("synthetic", [REPLACE, ADD, NONE], ids=lambda one: one.mode.value)
@pytest.mark.parametrize(("vouchers", "matches"), [(1, 1), (12, 1), (12, 5), (12, 12), (40, 7)])
def test_the_advantage_is_the_total_variation_distance(vouchers: int, matches: int, synthetic: Synthetic) -> None:
    none, some = distribution(vouchers, 0, synthetic), distribution(vouchers, matches, synthetic)
    expected = sum(abs(one - other) for one, other in zip(none, some, strict=True)) / 2
    assert isclose(float(advantage(vouchers, matches, synthetic)), float(expected), rel_tol=1e-14)


@pytest.mark.parametrize("synthetic", [REPLACE, ADD], ids=lambda one: one.mode.value)
def test_density_and_quantiles_are_those_of_the_distribution(synthetic: Synthetic) -> None:
    view = View(40, 7, synthetic)
    expected = distribution(40, 7, synthetic)
    for found, wanted in zip(view.density(0, 80), expected, strict=True):
        assert isclose(found, float(wanted), rel_tol=1e-14)
    assert isclose(view.mean, float(sum(v * p for v, p in enumerate(expected))), rel_tol=1e-14)
    for level in (1e-9, 0.05, 0.5, 0.95, 1 - 1e-9):
        v = view.quantile(level)
        assert sum(expected[: v + 1]) >= level > sum(expected[:v])


def test_the_rule_of_thumb_in_the_security_notes_holds() -> None:
    synthetic = Synthetic()
    for matches, stated in ((1, 0.018), (5, 0.09), (20, 0.37)):
        found = float(advantage(10_000, matches, synthetic))
        thumb = matches / sqrt(2 * pi * 10_000 * 0.05 * 0.95)
        assert found <= thumb
        assert isclose(thumb, stated, rel_tol=0.03)
        assert isclose(found, stated, rel_tol=0.11)


def test_more_matches_show_more_and_more_vouchers_hide_more() -> None:
    rising = [advantage(500, k, REPLACE) for k in range(12)]
    assert rising[0].is_zero()
    assert all(one < other for one, other in pairwise(rising))
    assert advantage(5000, 5, REPLACE) < advantage(500, 5, REPLACE)


def test_without_synthetic_vouchers_one_match_is_seen() -> None:
    assert float(advantage(1000, 1, NONE)) == 1
    assert View(1000, 3, NONE).quantile(0.05) == View(1000, 3, NONE).quantile(0.95) == 3
