"""The statistics: medians, quartiles and paired ratios are what they are called."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.spread import Spread, ratios

SAMPLES = st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([5.0], (5, 5, 5)),
        ([1.0, 2.0], (1.25, 1.5, 1.75)),
        ([5.0, 1.0, 3.0, 2.0, 4.0], (2, 3, 4)),
        ([4.0, 1.0, 3.0, 2.0], (1.75, 2.5, 3.25)),
    ],
)
def test_quartiles_of_known_samples(samples: list[float], expected: tuple[float, float, float]) -> None:
    spread = Spread.of(samples)
    assert (spread.lower, spread.median, spread.upper) == pytest.approx(expected)
    assert spread.range == pytest.approx(expected[2] - expected[0])


@given(SAMPLES)
def test_median_is_the_standard_librarys(samples: list[float]) -> None:
    assert Spread.of(samples).median == pytest.approx(statistics.median(samples))


@given(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=50))
def test_quartiles_are_the_standard_librarys(samples: list[float]) -> None:
    spread = Spread.of(samples)
    assert [spread.lower, spread.median, spread.upper] == pytest.approx(
        statistics.quantiles(samples, n=4, method="inclusive")
    )


@given(SAMPLES)
def test_quartiles_enclose_the_median_whatever_the_order(samples: list[float]) -> None:
    spread = Spread.of(samples)
    assert min(samples) <= spread.lower <= spread.median <= spread.upper <= max(samples)
    assert Spread.of(sorted(samples)) == spread


def test_one_disturbed_round_moves_the_median_little() -> None:
    assert Spread.of([1.0, 1.0, 1.0, 1.0, 1000.0]) == Spread(1.0, 1.0, 1.0)


def test_no_samples_are_refused() -> None:
    with pytest.raises(BenchError, match="no samples"):
        Spread.of([])


def test_ratios_pair_rounds_so_that_shared_noise_cancels() -> None:
    noise = [1.0, 3.0, 2.0, 7.0]
    assert ratios([2 * n for n in noise], noise) == (2.0, 2.0, 2.0, 2.0)


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(BenchError, match="do not pair"):
        ratios([1.0, 2.0], [1.0])
