"""The chance to reveal: against enumeration, against the decoder, and as it must be monotone."""

from fractions import Fraction
from math import comb, isclose

import numpy as np
import pytest

from tests.detection.shares import Chance, Shares
from tests.plan.exact import binomial, revealed
from tpsi import Sharing, Synthetic, SyntheticMode, field
from tpsi.decoding import decode
from tpsi.errors import CallerError
from tpsi.plan import Decision, chance_to_reveal, smallest_revealed
from tpsi.plan import revealing as module
from tpsi.plan.subsets import Subset

RATE = Synthetic(SyntheticMode.REPLACE, 125_000)


@pytest.mark.parametrize("recall", [1.0, 0.75])
@pytest.mark.parametrize(("listed", "threshold"), [(2, 1), (5, 1), (6, 3), (7, 5)])
def test_the_chance_is_that_of_every_picture_s_fate(listed: int, threshold: int, recall: float) -> None:
    expected = revealed(listed, 20, rate=Fraction(1, 8), recall=Fraction(recall), threshold=threshold, rows=3)
    found = chance_to_reveal(Decision(20 + listed, Sharing(threshold, 3), RATE, recall), listed)
    assert isclose(found.value, float(expected), rel_tol=1e-11)


def test_mode_add_loses_no_match() -> None:
    decision = Decision(30, Sharing(2, 3), Synthetic(SyntheticMode.ADD, 125_000))
    synthetic = binomial(30, Fraction(1, 8))
    for listed in (3, 4, 6):
        expected = sum(synthetic[: 3 * (listed - 3) + 1])
        assert isclose(chance_to_reveal(decision, listed).value, float(expected), rel_tol=1e-12)


def test_without_synthetic_vouchers_one_past_the_threshold_reveals() -> None:
    decision = Decision(100, Sharing(30, 16), Synthetic(SyntheticMode.NONE, 0))
    assert [chance_to_reveal(decision, k).value for k in (0, 30, 31, 100)] == [0, 0, 1, 1]


def test_chances_that_no_double_holds_are_told_by_their_logarithm() -> None:
    decision = Decision(100_000, Sharing(30, 16), Synthetic())
    found = chance_to_reveal(decision, 31)
    # all 31 survive, and none of 99 969 others is synthetic
    assert found.value == 0
    assert isclose(found.log10, 100_000 * np.log10(0.95), rel_tol=1e-12)
    assert chance_to_reveal(decision, 30).log10 == float("-inf")  # this is impossible, that was only unlikely


def test_doubles_and_balls_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    decision = Decision(3000, Sharing(10, 8), Synthetic(), 0.8)
    quick = [chance_to_reveal(decision, k) for k in (20, 35, 45, 60)]
    monkeypatch.setattr(module, "_SMALL", 2.0)
    slow = [chance_to_reveal(decision, k) for k in (20, 35, 45, 60)]
    for one, other in zip(quick, slow, strict=True):
        assert isclose(one.value, other.value, rel_tol=1e-10)


def test_the_planner_s_condition_is_the_decoder_s() -> None:
    threshold, rows, real = 3, 4, 7
    decision = Decision(100, Sharing(threshold, rows), RATE)
    limit = decision.tolerated(real, decision.decodable)
    assert limit == rows * (real - threshold - 1)
    for synthetic, found in ((limit, True), (limit + 1, False)):
        chance = Chance(7 + synthetic)
        coefficients = chance.elements(rows, threshold + 1)
        xs = chance.coordinates(real + synthetic)
        shares = Shares(xs, field.evaluate(coefficients, xs), np.arange(len(xs)) < real)
        shares.rows[real:] = chance.elements(synthetic, rows)
        curve = decode(shares.xs, shares.rows, threshold, 1)
        assert (curve is not None and np.array_equal(curve, coefficients)) == found


def test_more_listed_pictures_are_revealed_more_surely_and_the_smallest_number_is_told() -> None:
    decision = Decision(10_000, Sharing(30, 16), Synthetic())
    chances = [chance_to_reveal(decision, k).value for k in range(31, 90)]
    assert chances == sorted(chances)
    for level in (0.5, 0.9, 0.99):
        smallest = smallest_revealed(decision, level)
        assert smallest is not None
        assert chances[smallest - 31] >= level > chances[smallest - 32]


def test_a_pool_larger_than_the_decoder_takes_on_is_judged_by_a_subset() -> None:
    subset = Subset(20, 3, 2)
    assert subset.needed == min(a for a in range(21) if 3 * (a - 3) >= 20 - a)
    ways = [comb(15, k) * comb(30, 20 - k) for k in range(16)]
    expected = Fraction(sum(ways[subset.needed :]), comb(45, 20))
    assert isclose(subset.chance(15, 30), float(expected), rel_tol=1e-10)


def test_the_chance_of_a_large_pool_is_near_what_a_simulation_gives_and_not_above() -> None:
    decision = Decision(200_000, Sharing(30, 16), Synthetic(), 0.89)
    assert decision.decodable < 10_000  # so that nearly every such pool is too large
    random, runs, listed = np.random.default_rng(1), 20_000, 800
    real = random.binomial(listed, 0.89 * 0.95, runs)
    synthetic = random.binomial(listed - real, 0.05 / (1 - 0.89 * 0.95)) + random.binomial(199_200, 0.05, runs)
    seen = random.hypergeometric(real, synthetic, decision.decodable)
    simulated = float((16 * (seen - 31) >= decision.decodable - seen).mean())
    found = chance_to_reveal(decision, listed).value
    assert simulated - 0.1 < found < simulated + 0.01


@pytest.mark.parametrize("recall", [0.0, 1.1, float("nan")])
def test_a_recall_that_is_no_chance_is_refused(recall: float) -> None:
    with pytest.raises(CallerError, match="recall"):
        Decision(100, Sharing(3), RATE, recall)
