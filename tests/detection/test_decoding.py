"""The decoder finds the curve at its exact limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.shares import Chance, on_curve, synthetic
from tpsi import decoding, field
from tpsi.field import P


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 25), st.integers(0, 2**32))
def test_random_errors_are_corrected_up_to_u_for_each_share_past_the_minimum(
    threshold: int, rows: int, errors: int, seed: int
) -> None:
    chance = Chance(seed)
    curve = chance.elements(rows, threshold + 1)
    real = threshold + 1 - (-errors // rows)
    shares = on_curve(curve, chance.coordinates(real)) + synthetic(chance, errors, rows)
    shares = shares[chance.order(real + errors)]
    found = decoding.decode(shares.xs, shares.rows, threshold, seed)
    assert found is not None
    assert np.array_equal(found, curve)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 12), st.integers(0, 5), st.integers(0, 2**32))
def test_errors_of_low_rank_are_corrected_up_to_their_rank_for_each_share_past_the_minimum(
    threshold: int, rank: int, errors: int, extra_rows: int, seed: int
) -> None:
    chance = Chance(seed)
    rows = rank + extra_rows
    curve = chance.elements(rows, threshold + 1)
    real = threshold + 1 - (-errors // rank)
    deviations = np.zeros((errors, rows), np.uint64)
    for column, direction in zip(chance.elements(rank, errors), chance.elements(rank, rows), strict=True):
        field.add_outer(deviations, column, direction)
    fakes = on_curve(curve, chance.coordinates(errors)).off_by(deviations)
    shares = (on_curve(curve, chance.coordinates(real)) + fakes)[chance.order(real + errors)]
    found = decoding.decode(shares.xs, shares.rows, threshold, seed)
    assert found is not None
    assert np.array_equal(found, curve)


@pytest.mark.parametrize("errors", [1, 16, 17, 60])
def test_one_share_too_few_finds_nothing(errors: int) -> None:
    chance = Chance(errors)
    curve = chance.elements(16, 6)
    real = 5 - (-errors // 16)
    shares = on_curve(curve, chance.coordinates(real)) + synthetic(chance, errors, 16)
    found = decoding.decode(shares.xs, shares.rows, 5, 1)
    assert found is None or not np.array_equal(found, curve)


@pytest.mark.parametrize("terms", [1, 2, 700])
@pytest.mark.parametrize("start", [0, 12345, P - 1, P - 350])
def test_a_polynomial_is_interpolated_from_consecutive_points(terms: int, start: int) -> None:
    curve = Chance(terms).elements(2, terms)
    points = np.array([(start + k) % P for k in range(terms)], np.uint64)
    assert np.array_equal(decoding._interpolate(field.evaluate(curve, points), start), curve)


def test_a_threshold_of_more_than_a_block_of_nodes() -> None:
    chance = Chance(7)
    curve = chance.elements(3, 601)
    shares = on_curve(curve, chance.coordinates(603)) + synthetic(chance, 5, 3)
    found = decoding.decode(shares.xs, shares.rows, 600, 99)
    assert found is not None
    assert np.array_equal(found, curve)


def test_a_point_of_evaluation_that_is_a_rejected_coordinate_yields_nothing_wrong() -> None:
    chance = Chance(8)
    curve = chance.elements(3, 3)
    shares = on_curve(curve, chance.coordinates(5)) + synthetic(chance, 3, 3)
    assert decoding.decode(shares.xs, shares.rows, 2, int(shares.xs[6])) is None
    on_real = decoding.decode(shares.xs, shares.rows, 2, int(shares.xs[1]))
    assert on_real is not None
    assert np.array_equal(on_real, curve)
