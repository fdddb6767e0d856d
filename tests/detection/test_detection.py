"""Detection's promises: nothing below the threshold, and above it all real shares and only they."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.shares import Chance, Oracle, Shares, detected, on_curve, synthetic
from tests.support.drbg import Drbg
from tpsi import decoding, detection
from tpsi.detection import Curve, Detection, Outcome, detect
from tpsi.errors import CallerError
from tpsi.field import Elements, P, encode

SIZES = st.integers(1, 5), st.integers(3, 8), st.integers(0, 2**32)  # t, u, seed


def pool(chance: Chance, curve: Elements, real: int, others: int) -> Shares:
    shares = on_curve(curve, chance.coordinates(real)) + synthetic(chance, others, len(curve))
    return shares[chance.order(real + others)]


def assert_revealed(found: Detection, shares: Shares, curve: Elements) -> None:
    """All real ones, and only they."""
    assert found.outcome is Outcome.REVEALED
    assert found.curve is not None
    assert np.array_equal(found.curve.coefficients, curve)
    assert np.array_equal(found.real, shares.real)
    assert np.array_equal(found.rejected, ~shares.real)


def assert_withheld(found: Detection, outcome: Outcome) -> None:
    assert found.outcome is outcome
    assert found.curve is None
    assert not found.real.any()
    assert not found.rejected.any()


@settings(max_examples=30, deadline=None)
@given(*SIZES, st.integers(0, 30))
def test_one_share_past_the_minimum_for_every_u_others_reveals_all_real_ones_and_only_they(
    threshold: int, rows: int, seed: int, others: int
) -> None:
    chance = Chance(seed)
    curve = chance.elements(rows, threshold + 1)
    shares = pool(chance, curve, threshold + 1 - (-others // rows), others)
    oracle = Oracle(curve)
    assert_revealed(detected(shares, threshold, oracle), shares, curve)
    assert oracle.calls[-1] == (encode(curve[:, 0]), np.flatnonzero(shares.real).tolist())


@settings(max_examples=30, deadline=None)
@given(*SIZES, st.integers(0, 40))
def test_exactly_t_real_shares_are_never_believed_however_many_others_there_are(
    threshold: int, rows: int, seed: int, others: int
) -> None:
    chance = Chance(seed)
    curve = chance.elements(rows, threshold + 1)
    oracle = Oracle(curve)
    found = detected(pool(chance, curve, threshold, others), threshold, oracle)
    assert_withheld(found, Outcome.UNDECIDED if others else Outcome.BELOW_THRESHOLD)
    assert encode(curve[:, 0]) not in [secret for secret, _ in oracle.calls]


@pytest.mark.parametrize("threshold", [1, 2, 30])
@pytest.mark.parametrize("rows", [3, 16, 255])
def test_without_others_one_share_more_than_the_threshold_reveals(threshold: int, rows: int) -> None:
    chance = Chance(rows)
    curve = chance.elements(rows, threshold + 1)
    shares = pool(chance, curve, threshold + 1, 0)
    assert_revealed(detected(shares, threshold, Oracle(curve)), shares, curve)


@pytest.mark.parametrize(
    ("threshold", "rows", "real", "others"), [(30, 64, 40, 300), (30, 16, 63, 500), (10, 255, 12, 240)]
)
def test_pools_of_the_size_that_accounts_have(threshold: int, rows: int, real: int, others: int) -> None:
    chance = Chance(real)
    curve = chance.elements(rows, threshold + 1)
    shares = pool(chance, curve, real, others)
    assert_revealed(detected(shares, threshold, Oracle(curve)), shares, curve)


def test_a_large_pool_with_many_real_shares_is_decided_by_a_few_of_them() -> None:
    chance = Chance(3)
    curve = chance.elements(16, 31)
    shares = pool(chance, curve, 1200, 1800)
    found = detected(shares, 30, Oracle(curve))
    assert_revealed(found, shares, curve)
    assert found.tried < 1000


@pytest.mark.parametrize("terms", [0, 1, 3])
def test_polynomials_of_lower_degree_are_found_too(terms: int) -> None:
    chance = Chance(terms)
    curve = np.hstack([chance.elements(4, terms), np.zeros((4, 6 - terms), np.uint64)])
    shares = pool(chance, curve, 9, 12)
    assert_revealed(detected(shares, 5, Oracle(curve)), shares, curve)


def test_equal_polynomials_are_found_too() -> None:
    chance = Chance(5)
    curve = np.repeat(chance.elements(1, 6), 4, axis=0)
    shares = pool(chance, curve, 9, 12)
    assert_revealed(detected(shares, 5, Oracle(curve)), shares, curve)


def test_too_few_shares_are_not_looked_at() -> None:
    chance = Chance(6)
    curve = chance.elements(3, 6)
    for count in (0, 1, 5):
        oracle = Oracle(curve)
        found = detected(pool(chance, curve, count, 0), 5, oracle)
        assert_withheld(found, Outcome.BELOW_THRESHOLD)
        assert (found.distinct, found.tried, oracle.calls) == (count, 0, [])


def test_copies_of_a_share_do_not_add_up_to_the_threshold() -> None:
    chance = Chance(7)
    curve = chance.elements(3, 6)
    shares = pool(chance, curve, 5, 0)
    found = detected(shares + shares + shares, 5, Oracle(curve))
    assert_withheld(found, Outcome.BELOW_THRESHOLD)
    assert found.distinct == 5


def test_copies_of_a_share_are_marked_alike() -> None:
    chance = Chance(8)
    curve = chance.elements(3, 6)
    shares = pool(chance, curve, 8, 4)
    shares = (shares + shares[:7] + shares[:2])[chance.order(21)]
    oracle = Oracle(curve)
    found = detected(shares, 5, oracle)
    assert_revealed(found, shares, curve)
    assert found.distinct == 12
    assert oracle.calls[-1][1] == np.flatnonzero(shares.real).tolist()


def test_beyond_the_bound_on_work_a_random_subset_still_decides() -> None:
    chance = Chance(9)
    curve = chance.elements(4, 4)
    shares = pool(chance, curve, 150, 150)
    found = detect(shares.xs, shares.rows, 3, Oracle(curve), rng=Drbg("a"), limit=40_000)
    assert_revealed(found, shares, curve)
    assert found.tried < 150


def test_beyond_the_bound_on_work_the_result_is_undecided_and_says_so() -> None:
    chance = Chance(10)
    curve = chance.elements(4, 4)
    shares = pool(chance, curve, 24, 80)
    assert_revealed(detected(shares, 3, Oracle(curve)), shares, curve)
    for limit in (1, 1000, 5000):
        found = detect(shares.xs, shares.rows, 3, Oracle(curve), rng=Drbg("b"), limit=limit)
        assert_withheld(found, Outcome.UNDECIDED)
        assert found.tried < found.distinct == 104


def test_the_sets_tried_grow_to_the_largest_that_the_bound_admits() -> None:
    assert detection._sizes(31, 16, 30, 2**29) == [31]
    assert detection._sizes(340, 64, 30, 2**29) == [85, 340]
    assert detection._sizes(5000, 16, 30, 2**29) == [78, 312, 1250, 5000]
    largest = detection._sizes(10**6, 16, 30, 2**29)[-1]
    assert 7500 < largest < 8000
    assert decoding.work(largest, 16, 30) <= 2**29 < decoding.work(largest + 1, 16, 30)
    assert detection._sizes(100_000, 16, 65_535, 2**29) == []


def test_the_same_random_octets_give_the_same_result() -> None:
    chance = Chance(11)
    curve = chance.elements(3, 4)
    shares = pool(chance, curve, 40, 40)
    first, second = Oracle(curve), Oracle(curve)
    one, two = detected(shares, 3, first, "seed"), detected(shares, 3, second, "seed")
    assert first.calls == second.calls
    assert one.tried == two.tried


def test_nothing_secret_is_shown() -> None:
    chance = Chance(12)
    curve = Curve(chance.elements(3, 4))
    found = detected(on_curve(curve.coefficients, chance.coordinates(5)), 3, Oracle(curve.coefficients))
    assert found.curve is not None
    shown = repr(curve) + str(curve) + repr(found) + repr(curve.secret)
    for value in curve.coefficients.reshape(-1).tolist():
        assert str(value) not in shown
    assert curve.secret.reveal() == encode(curve.coefficients[:, 0])


GOOD_XS, GOOD_ROWS = np.arange(1, 9, dtype=np.uint64), np.ones((8, 3), np.uint64)


def changed(values: Elements, index: int, value: int) -> Elements:
    values = values.copy()
    values.reshape(-1)[index] = value
    return values


@pytest.mark.parametrize(
    ("xs", "rows", "threshold", "limit"),
    [
        pytest.param(changed(GOOD_XS, 3, 0), GOOD_ROWS, 2, 1000, id="coordinate zero"),
        pytest.param(changed(GOOD_XS, 3, P), GOOD_ROWS, 2, 1000, id="coordinate p"),
        pytest.param(changed(GOOD_XS, 3, 2**64 - 1), GOOD_ROWS, 2, 1000, id="coordinate 2^64 - 1"),
        pytest.param(GOOD_XS, changed(GOOD_ROWS, 23, P), 2, 1000, id="value p"),
        pytest.param(GOOD_XS.astype(np.int64), GOOD_ROWS, 2, 1000, id="signed coordinates"),
        pytest.param(GOOD_XS, GOOD_ROWS.astype(np.float64), 2, 1000, id="floating-point rows"),
        pytest.param(GOOD_XS[:7], GOOD_ROWS, 2, 1000, id="a row too many"),
        pytest.param(GOOD_XS[:, None], GOOD_ROWS, 2, 1000, id="coordinates of two dimensions"),
        pytest.param(GOOD_XS, GOOD_ROWS[:, 0], 2, 1000, id="rows of one dimension"),
        pytest.param(GOOD_XS, GOOD_ROWS[:, :2], 2, 1000, id="two rows"),
        pytest.param(GOOD_XS, np.ones((8, 256), np.uint64), 2, 1000, id="256 rows"),
        pytest.param(GOOD_XS, GOOD_ROWS, 0, 1000, id="threshold 0"),
        pytest.param(GOOD_XS, GOOD_ROWS, 65_536, 1000, id="threshold 65 536"),
        pytest.param(GOOD_XS, GOOD_ROWS, 2, 0, id="no work"),
    ],
)
def test_what_the_caller_could_have_checked_is_refused(
    xs: Elements, rows: Elements, threshold: int, limit: int
) -> None:
    with pytest.raises(CallerError):
        detect(xs, rows, threshold, Oracle(None), limit=limit)
