"""The arithmetic of the promise."""

import random

import pytest

from examples.demo.promise import ROWS, allowed_reveals, fewest_decisive, most_synthetic


@pytest.mark.parametrize(
    ("matches", "synthetic", "allowed"),
    [
        (0, 0, {0}),
        (0, 500, {0}),
        (10, 0, {0}),
        (10, 500, {0}),
        (11, 0, {11}),  # with no synthetic voucher the first match over the threshold decides
        (11, 1, {0, 11}),
        (12, ROWS, {12}),
        (12, ROWS + 1, {0, 12}),
        (13, ROWS + 1, {13}),
    ],
)
def test_nothing_up_to_the_threshold_all_when_decisive_and_never_a_part(
    matches: int, synthetic: int, allowed: set[int]
) -> None:
    assert allowed_reveals(10, matches, synthetic) == allowed


@pytest.mark.parametrize("synthetic", [0, 1, 15, 16, 17, 200])
def test_fewest_decisive_is_the_smallest_number_that_outweighs_the_synthetic_ones(synthetic: int) -> None:
    fewest = fewest_decisive(10, synthetic)
    assert ROWS * (fewest - 10 - 1) >= synthetic
    assert fewest == 11 or ROWS * (fewest - 10 - 2) < synthetic


def test_most_synthetic_is_hardly_ever_exceeded_but_no_wild_guess() -> None:
    rng = random.Random(1)
    most = most_synthetic(60, 0.15)
    largest = max(sum(rng.random() < 0.15 for _ in range(60)) for _ in range(2000))
    assert largest <= most < 60 * 0.15 + 8 * (60 * 0.15 * 0.85) ** 0.5
    assert most_synthetic(5, 0.5) == 5
