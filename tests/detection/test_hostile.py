"""Shares that a hostile device chooses: they hide at most its own, and nothing wrong is ever believed."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.detection.shares import Chance, Oracle, Shares, detected, on_curve, synthetic
from tests.detection.test_detection import assert_revealed, assert_withheld
from tpsi.detection import Outcome
from tpsi.field import Elements, P, encode

T, U = 5, 4


def off(real: Shares, row: Elements) -> Shares:
    return real.off_by(np.repeat(row[None, :], len(real.xs), axis=0))


def instead(real: Shares, value: int) -> Shares:
    return Shares(real.xs, np.full_like(real.rows, value), np.zeros_like(real.real))


#: (chance, curve, shares on it) → shares off the curve at the same coordinates, all in one pattern.
PATTERNS: dict[str, Callable[[Chance, Elements, Shares], Shares]] = {
    "every row off by one": lambda _, curve, real: off(real, np.ones(len(curve), np.uint64)),
    "one row off by one": lambda _, curve, real: off(real, np.eye(len(curve), dtype=np.uint64)[1]),
    "rows off in one direction": lambda chance, curve, real: off(real, chance.elements(len(curve))),
    "zero rows": lambda _, __, real: instead(real, 0),
    "equal rows": lambda _, __, real: instead(real, 7),
    "second curve": lambda chance, curve, real: on_curve(chance.elements(*curve.shape), real.xs).faked(),
    "curve of one degree more": lambda chance, curve, real: on_curve(
        np.hstack([curve, chance.elements(len(curve), 1)]), real.xs
    ).faked(),
}


def pool(chance: Chance, curve: Elements, real: int, others: int, pattern: str) -> Shares:
    fakes = PATTERNS[pattern](chance, curve, on_curve(curve, chance.coordinates(others)))
    return (on_curve(curve, chance.coordinates(real)) + fakes)[chance.order(real + others)]


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=10, deadline=None)
@given(sizes=st.tuples(st.integers(1, 5), st.integers(3, 8)), count=st.integers(1, 12), seed=st.integers(0, 2**32))
@example(sizes=(5, 3), count=1, seed=0)
def test_any_pattern_is_corrected_up_to_the_classical_radius(
    pattern: str, sizes: tuple[int, int], count: int, seed: int
) -> None:
    threshold, rows = sizes
    chance = Chance(seed)
    curve = chance.elements(rows, threshold + 1)
    for spare in (0, 1):  # N − t − 1 is twice the count, or one more
        shares = pool(chance, curve, threshold + 1 + count + spare, count, pattern)
        assert_revealed(detected(shares, threshold, Oracle(curve)), shares, curve)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("count", [6, 20, 60])
def test_beyond_the_radius_nothing_wrong_is_believed(pattern: str, count: int) -> None:
    chance = Chance(count)
    curve = chance.elements(U, T + 1)
    shares = pool(chance, curve, 8, count, pattern)
    found = detected(shares, T, Oracle(curve))
    if found.outcome is Outcome.REVEALED:
        assert_revealed(found, shares, curve)
    else:
        assert_withheld(found, Outcome.UNDECIDED)


def test_a_second_curve_of_more_shares_does_not_open_and_is_not_believed() -> None:
    chance = Chance(1)
    curve, second = chance.elements(U, T + 1), chance.elements(U, T + 1)
    shares = on_curve(curve, chance.coordinates(8)) + on_curve(second, chance.coordinates(30)).faked()
    oracle = Oracle(curve)
    assert_withheld(detected(shares, T, oracle), Outcome.UNDECIDED)
    assert {secret for secret, _ in oracle.calls} == {encode(second[:, 0])}
    assert len(oracle.calls) == 1  # one curve is asked about once


def test_a_second_curve_that_opens_reveals_its_own_shares_only() -> None:
    chance = Chance(2)
    curve, second = chance.elements(U, T + 1), chance.elements(U, T + 1)
    shares = on_curve(curve, chance.coordinates(8)).faked() + on_curve(second, chance.coordinates(30))
    assert_revealed(detected(shares, T, Oracle(second)), shares, second)


def test_two_curves_of_equal_shares_are_undecided() -> None:
    chance = Chance(3)
    curve, second = chance.elements(U, T + 1), chance.elements(U, T + 1)
    shares = on_curve(curve, chance.coordinates(10)) + on_curve(second, chance.coordinates(10)).faked()
    assert_withheld(detected(shares, T, Oracle(curve)), Outcome.UNDECIDED)


def test_a_second_curve_that_crosses_the_real_one_in_t_shares() -> None:
    chance = Chance(4)
    curve = chance.elements(U, T + 1)
    xs = chance.coordinates(20)
    second = curve.copy()  # plus c·Π(x − x_i) over t coordinates, in the first row
    product = np.array([1], object)
    for x in xs[:T].tolist():
        product = (np.append(0, product) - x * np.append(product, 0)) % P
    second[0] = (second[0].astype(object) + 5 * product) % P
    assert np.array_equal(on_curve(second, xs[:T]).rows, on_curve(curve, xs[:T]).rows)
    shares = on_curve(curve, xs[:14]) + on_curve(second, xs[14:]).faked()
    assert_revealed(detected(shares, T, Oracle(curve)), shares, curve)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_a_synthetic_share_among_t_plus_one_makes_a_wrong_secret_that_is_refused(seed: int) -> None:
    chance = Chance(seed)
    curve = chance.elements(U, T + 1)
    oracle = Oracle(curve)
    found = detected(on_curve(curve, chance.coordinates(T)) + synthetic(chance, 1, U), T, oracle)
    assert_withheld(found, Outcome.UNDECIDED)
    assert [len(candidates) for _, candidates in oracle.calls] == [T + 1]
    assert oracle.calls[0][0] != encode(curve[:, 0])


@pytest.mark.parametrize("count", [T + 1, 50, 400])
def test_associated_data_that_never_opens_is_undecided_after_few_calls(count: int) -> None:
    chance = Chance(count)
    oracle = Oracle(None)
    found = detected(on_curve(chance.elements(U, T + 1), chance.coordinates(count)), T, oracle)
    assert_withheld(found, Outcome.UNDECIDED)
    assert 1 <= len(oracle.calls) <= math.log(count, 4) + 1


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda count: np.arange(1, count + 1), id="small"),
        pytest.param(lambda count: P - np.arange(1, count + 1), id="next to p"),
        pytest.param(lambda count: 1 + 12345678901 * np.arange(count), id="in arithmetic progression"),
        pytest.param(lambda count: np.array([pow(3, k, P) for k in range(count)]), id="in geometric progression"),
        pytest.param(lambda count: np.array([pow(37, k * (P - 1) // 61, P) for k in range(count)]), id="roots of one"),
    ],
)
def test_chosen_coordinates(choose: Callable[[int], Elements]) -> None:
    chance = Chance(5)
    curve = chance.elements(U, T + 1)
    xs = choose(29).astype(np.uint64)
    shares = on_curve(curve, xs)
    fakes = synthetic(chance, 20, U)
    shares = shares[:9] + Shares(xs[9:], fakes.rows, fakes.real)  # ⌈20/4⌉ = 5: 11 real ones are demanded
    more = shares + on_curve(curve, chance.coordinates(2))
    assert_revealed(detected(more, T, Oracle(curve)), more, curve)


def test_conflicting_shares_are_all_set_aside() -> None:
    chance = Chance(6)
    curve = chance.elements(U, T + 1)
    real = on_curve(curve, chance.coordinates(12))
    two = real[:2].off_by(np.ones((2, U), np.uint64))
    third = real[:1].off_by(np.full((1, U), 2, np.uint64))
    shares = real + two + third + real[:3]  # the copies of the first two conflict as well
    oracle = Oracle(curve)
    found = detected(shares, T, oracle)
    conflicting = np.isin(np.arange(len(shares.xs)), [0, 1, 12, 13, 14, 15, 16])
    assert found.outcome is Outcome.REVEALED
    assert np.array_equal(found.conflicting, conflicting)
    assert np.array_equal(found.real, shares.real & ~conflicting)
    assert not found.rejected.any()
    assert found.distinct == 10
    assert oracle.calls[-1][1] == np.flatnonzero(found.real).tolist()


def test_conflicting_shares_do_not_count_towards_the_threshold() -> None:
    chance = Chance(7)
    curve = chance.elements(U, T + 1)
    real = on_curve(curve, chance.coordinates(T + 1))
    oracle = Oracle(curve)
    found = detected(real + real[:1].off_by(np.ones((1, U), np.uint64)), T, oracle)
    assert_withheld(found, Outcome.BELOW_THRESHOLD)
    assert np.flatnonzero(found.conflicting).tolist() == [0, T + 1]
    assert oracle.calls == []


def test_all_shares_conflicting() -> None:
    chance = Chance(8)
    real = on_curve(chance.elements(U, T + 1), chance.coordinates(9))
    found = detected(real + real.off_by(np.ones((9, U), np.uint64)), T, Oracle(None))
    assert_withheld(found, Outcome.BELOW_THRESHOLD)
    assert found.conflicting.all()
    assert found.distinct == 0


@pytest.mark.parametrize("value", [0, 1, P - 1])
def test_shares_with_the_same_rows_everywhere_lie_on_a_constant_curve_that_does_not_open(value: int) -> None:
    chance = Chance(9)
    shares = Shares(chance.coordinates(40), np.full((40, U), value, np.uint64), np.zeros(40, np.bool_))
    oracle = Oracle(chance.elements(U, T + 1))
    assert_withheld(detected(shares, T, oracle), Outcome.UNDECIDED)
    assert {secret for secret, _ in oracle.calls} == {value.to_bytes(8, "big") * U}
