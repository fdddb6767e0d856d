"""The count of false matches: against fractions, where doubles end, and as it must be monotone."""

from fractions import Fraction
from math import isclose, log10

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan.exact import beta_binomial, binomial, convolve
from tpsi.errors import CallerError
from tpsi.plan import Chance, Library, exceeds, largest_library, smallest_threshold
from tpsi.plan.balls import log10 as ball_log10

RATES = st.sampled_from([0.5, 0.25, 0.125, 2**-7, 2**-20])


def tail(distribution: list[Fraction], threshold: int) -> Fraction:
    return sum(distribution[threshold + 1 :], Fraction(0))


@given(st.integers(1, 40), RATES, st.integers(0, 45))
@settings(deadline=None, max_examples=60)
def test_a_tail_is_the_sum_of_what_lies_beyond(pictures: int, rate: float, threshold: int) -> None:
    expected = tail(binomial(pictures, Fraction(rate)), threshold)
    found = exceeds(Library(pictures, (Chance(rate),)), threshold)
    assert isclose(float(found), float(expected), rel_tol=1e-15)


def test_a_list_of_many_hashes_is_that_many_chances_for_each_picture() -> None:
    chance = 1 - (1 - Fraction(1, 64)) ** 50
    expected = tail(binomial(12, chance), 3)
    assert isclose(float(exceeds(Library(12, (Chance(1 / 64, 50),)), 3)), float(expected), rel_tol=1e-15)


def test_hash_types_add_up() -> None:
    both = convolve(binomial(9, Fraction(1, 8)), binomial(9, Fraction(1, 32)))
    found = exceeds(Library(9, (Chance(1 / 8), Chance(1 / 32))), 5)
    assert isclose(float(found), float(tail(both, 5)), rel_tol=1e-15)


@pytest.mark.parametrize("overdispersion", [1.5, 2.0, 9.0])
def test_libraries_that_differ_from_each_other_have_a_beta_binomial_count(overdispersion: float) -> None:
    pictures, rate = 20, Fraction(1, 16)
    weight = (pictures - 1) / (Fraction(overdispersion) - 1) - 1
    expected = beta_binomial(pictures, rate * weight, (1 - rate) * weight)
    mean = sum(k * p for k, p in enumerate(expected))
    variance = sum((k - mean) ** 2 * p for k, p in enumerate(expected))
    assert mean == pictures * rate
    assert variance == Fraction(overdispersion) * pictures * rate * (1 - rate)  # what the option promises
    for threshold in (0, 3, 12, 19):
        found = exceeds(Library(pictures, (Chance(float(rate)),), overdispersion), threshold)
        assert isclose(float(found), float(tail(expected, threshold)), rel_tol=1e-14)


def test_chances_below_the_smallest_double_are_right() -> None:
    expected = tail(binomial(400, Fraction(1, 1024)), 250)
    found = exceeds(Library(400, (Chance(1 / 1024),)), 250)
    exact = log10(expected.numerator) - log10(expected.denominator)
    assert exact < -600
    assert isclose(ball_log10(found), exact, rel_tol=1e-14)
    assert not found.is_zero()


def test_a_chance_near_one_keeps_its_distance_from_it() -> None:
    expected = tail(binomial(64, Fraction(1, 2)), 2)
    found = 1 - exceeds(Library(64, (Chance(0.5),)), 2)
    assert isclose(float(found), float(1 - expected), rel_tol=1e-2)
    assert found > 0


def test_more_matches_than_pictures_are_impossible() -> None:
    assert exceeds(Library(30, (Chance(0.5),)), 30).is_zero()
    assert not exceeds(Library(30, (Chance(0.5), Chance(0.5))), 30).is_zero()  # two vouchers for each picture


@given(st.integers(1, 10**7), st.floats(1e-12, 1e-4), st.integers(1, 40))
@settings(deadline=None, max_examples=40)
def test_chances_fall_with_the_threshold_and_rise_with_rate_and_library(
    pictures: int, rate: float, threshold: int
) -> None:
    library = Library(pictures, (Chance(rate),))
    here = exceeds(library, threshold)
    # balls near 1 overlap: what is certain is that none lies on the wrong side
    assert not exceeds(library, threshold + 1) > here
    assert not exceeds(library.times(2), threshold) < here
    assert not exceeds(Library(2 * pictures, (Chance(rate),)), threshold) < here


@given(st.integers(100, 10**6), st.floats(1e-9, 1e-5), st.floats(1e-15, 1e-3), st.sampled_from([1.0, 3.0]))
@settings(deadline=None, max_examples=40)
def test_the_smallest_threshold_meets_the_wish_and_the_one_below_does_not(
    pictures: int, rate: float, wished: float, overdispersion: float
) -> None:
    library = Library(pictures, (Chance(rate),), overdispersion)
    threshold = smallest_threshold(library, wished)
    assert threshold is not None
    assert exceeds(library, threshold) <= wished
    assert threshold == 1 or exceeds(library, threshold - 1) > wished


def test_libraries_that_vary_more_need_a_higher_threshold() -> None:
    thresholds = [smallest_threshold(Library(20_000, (Chance(1e-4),), d), 1e-12) for d in (1.0, 2.0, 5.0)]
    assert thresholds == sorted(set(thresholds), key=lambda one: one or 0)


def test_no_threshold_is_said_to_be_none() -> None:
    assert smallest_threshold(Library(20_000, (Chance(0.9),)), 1e-12) is None


def test_the_largest_library_meets_the_wish_and_one_more_picture_does_not() -> None:
    chances = (Chance(1e-5),)
    most = largest_library(chances, 30, 1e-12)
    assert exceeds(Library(most, chances), 30) <= 1e-12 < exceeds(Library(most + 1, chances), 30)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0, float("nan")])
def test_a_rate_that_is_no_chance_is_refused(rate: float) -> None:
    with pytest.raises(CallerError, match="false-match rate"):
        Chance(rate)


def test_an_overdispersion_that_no_library_can_have_is_refused() -> None:
    with pytest.raises(CallerError, match="overdispersion"):
        Library(10, (Chance(0.1),), 10.0)
    with pytest.raises(CallerError, match="overdispersion"):
        Library(10, (Chance(0.1),), 0.5)
