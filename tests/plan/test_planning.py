"""Whole plans: the published one, those that say too little, sizes, and what is said about them."""

import json
import math
from dataclasses import replace

import pytest

from tests.plan.sealed import sealed_size
from tpsi import Probes, Sharing, Synthetic, SyntheticMode
from tpsi.errors import CallerError
from tpsi.plan import (
    Chance,
    Format,
    HashType,
    Library,
    Measurement,
    Plan,
    Setting,
    largest_library,
    observed_setting,
    plan,
    published_setting,
    smallest_threshold,
)
from tpsi.plan.published import LIBRARY, RATE, THRESHOLD, WISHED

#: Measured beforehand: no false match of 932 photographs.
FEW_PAIRS = Measurement("dct80", 256, 866_350, 0)


def codes(made: Plan) -> set[str]:
    return {finding.code for finding in made.findings}


def test_the_published_threshold_follows_for_libraries_of_about_six_million_pictures() -> None:
    chance = (Chance(RATE),)
    assert largest_library(chance, THRESHOLD, WISHED) == LIBRARY == 6_171_985
    assert largest_library(chance, THRESHOLD - 1, WISHED) == 5_773_005
    assert smallest_threshold(Library(5_773_006, chance), WISHED) == THRESHOLD
    assert smallest_threshold(Library(1_000_000, chance), WISHED) == 14


def test_the_published_plan_meets_its_wish_and_says_that_it_assumes() -> None:
    made = plan(published_setting())
    assert (made.threshold, made.smallest, made.meets) == (30, 30, True)
    assert "assumed" in codes(made)
    by_step = {step.threshold: step.planned.value for step in made.steps}
    assert by_step[30] <= 1e-12 < by_step[29]
    tenfold = made.doubts[1]
    assert tenfold.chance is not None
    assert tenfold.chance.value > 0.99  # the margin is in the size of the library, not in the rate


def test_what_was_observed_would_allow_a_lower_threshold() -> None:
    made = plan(replace(observed_setting(), threshold=None))
    assert made.meets
    assert made.smallest is not None
    assert made.smallest < 30
    assert "assumed" not in codes(made)


def test_zero_of_few_pairs_certifies_nothing_against_a_list_of_a_million() -> None:
    made = plan(Setting((HashType("dct80", 10**6, FEW_PAIRS),), 20_000, probes=Probes(16)))
    assert made.threshold is None
    assert not made.meets
    assert codes(made) >= {"too_few_pairs", "no_threshold"}
    said = next(finding for finding in made.findings if finding.code == "too_few_pairs")
    assert said.warning
    for part in ("866,350 pairs", "3.5e-06", "1,000,000 listed hashes", "pairs without a false match"):
        assert part in said.text


def test_a_given_threshold_that_only_the_estimate_would_meet_is_said_to_rest_on_too_few_pairs() -> None:
    kind = HashType("dct80", 1000, Measurement("dct80", 1, 10**6, 0))
    made = plan(Setting((kind,), 20_000, threshold=30))
    assert not made.meets
    assert codes(made) >= {"too_few_pairs", "wish_not_met"}


def test_enough_pairs_are_enough() -> None:
    kind = HashType("dct80", 1000, Measurement("dct80", 16, 10**12, 2))
    made = plan(Setting((kind,), 20_000, probes=Probes(16)))
    assert made.meets
    assert not made.warnings


def test_a_threshold_below_the_smallest_is_a_warning_that_names_it() -> None:
    made = plan(Setting((HashType("x", 10**6, assumed=1e-10),), 20_000, threshold=5))
    assert made.smallest == 18
    assert any("the smallest that does is 18" in text for text in made.warnings)


def test_too_many_synthetic_vouchers_or_none_are_warned_about() -> None:
    kind = HashType("x", 1000, assumed=1e-12)
    without = plan(Setting((kind,), 5000, synthetic=Synthetic(SyntheticMode.NONE, 0)))
    assert "no_cover" in codes(without)
    few = plan(Setting((kind,), 40, threshold=30, synthetic=Synthetic(per_million=300_000)))
    assert "never_revealed" in codes(few)


def test_a_measurement_with_fewer_probes_than_devices_make_is_refused() -> None:
    with pytest.raises(CallerError, match="measured with 1 probes, and devices make 16"):
        Setting((HashType("x", 10, Measurement("x", 1, 100, 0)),), 100, probes=Probes(16))


def test_hash_types_make_a_voucher_each_and_their_false_matches_add_up() -> None:
    one, two = HashType("a", 10**6, assumed=1e-10), HashType("b", 10**6, assumed=1e-10)
    single, double = plan(Setting((one,), 20_000)), plan(Setting((one, two), 20_000))
    assert double.vouchers == 2 * single.vouchers
    assert double.smallest is not None
    assert single.smallest is not None
    assert double.smallest > single.smallest
    assert double.costs is not None
    assert single.costs is not None
    assert double.costs.uploaded == 2 * single.costs.uploaded


@pytest.mark.parametrize("encoding", ["fuse", "cuckoo"])
@pytest.mark.parametrize("suite", ["TPSI-RISTRETTO255-SHA512", "TPSI-P256-SHA256"])
def test_the_size_of_a_voucher_is_that_of_one_that_was_sealed(suite: str, encoding: str) -> None:
    setting = Setting(
        (HashType("x", 50, assumed=1e-9),),
        1000,
        threshold=3,
        rows=5,
        probes=Probes(4),
        form=Format(100, suite, encoding),
    )
    made = plan(setting)
    assert made.costs is not None
    assert made.costs.voucher == sealed_size(suite, encoding, Sharing(3, 5), Probes(4), b"x" * 100)
    assert made.costs.uploaded == 1000 * made.costs.voucher


def test_time_is_slots_by_the_figure_for_one() -> None:
    setting = Setting((HashType("x", 50, assumed=1e-9),), 1000, threshold=3, probes=Probes(16), slot_seconds=0.001)
    made = plan(setting)
    assert made.costs is not None
    assert made.costs.seconds is not None
    assert math.isclose(made.costs.seconds, 16.0)


def test_a_plan_is_json_without_infinities() -> None:
    for setting in (published_setting(), Setting((HashType("x", 10, assumed=0.0),), 10, threshold=20)):
        text = json.dumps(plan(setting).to_dict(), allow_nan=False)
        assert json.loads(text)["threshold"] == setting.threshold
