"""What a measurement says, and what it does not."""

from fractions import Fraction
from math import expm1, isclose, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan.exact import binomial
from tpsi.errors import CallerError
from tpsi.plan import Measurement, pairs_for


def test_no_match_in_866_350_pairs_shows_no_more_than_three_and_a_half_in_a_million() -> None:
    measured = Measurement("dct80", 256, 866_350, 0)
    assert measured.estimate == measured.lower == 0
    assert isclose(measured.upper, -expm1(log(0.05) / 866_350), rel_tol=1e-12)
    assert 3.4e-6 < measured.upper < 3.5e-6


@given(st.integers(1, 60), st.data(), st.sampled_from([0.75, 0.875, 0.96875]))
@settings(deadline=None, max_examples=50)
def test_bounds_are_where_the_measurement_becomes_as_unlikely_as_the_confidence_says(
    pairs: int, data: st.DataObject, confidence: float
) -> None:
    matches = data.draw(st.integers(0, pairs))
    measured = Measurement("x", 1, pairs, matches, confidence)
    assert measured.lower <= measured.estimate <= measured.upper + 2**-53
    if matches < pairs:
        as_few = sum(binomial(pairs, Fraction(measured.upper))[: matches + 1])
        assert isclose(as_few, 1 - confidence, rel_tol=1e-9)
        assert as_few <= 1 - confidence  # rounded to the safe side
    if matches:
        as_many = sum(binomial(pairs, Fraction(measured.lower))[matches:])
        assert isclose(as_many, 1 - confidence, rel_tol=1e-9)
        assert as_many <= 1 - confidence


def test_the_pairs_that_are_needed_just_show_the_rate() -> None:
    for rate in (1e-3, 1e-6, 1e-9):
        needed = pairs_for(rate)
        assert Measurement("x", 1, needed, 0).upper <= rate * (1 + 1e-9)
        assert Measurement("x", 1, needed - needed // 100, 0).upper > rate


@pytest.mark.parametrize(("pairs", "matches"), [(0, 0), (10, 11), (10, -1)])
def test_impossible_counts_are_refused(pairs: int, matches: int) -> None:
    with pytest.raises(CallerError, match="measurement"):
        Measurement("x", 1, pairs, matches)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5, float("nan")])
def test_a_confidence_that_says_nothing_or_everything_is_refused(confidence: float) -> None:
    with pytest.raises(CallerError, match="confidence"):
        Measurement("x", 1, 10, 0, confidence)
