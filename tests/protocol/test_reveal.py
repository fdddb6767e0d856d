"""At most t matches show nothing, more show exactly the matches (specification, section 9)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World, items_of
from tpsi import Opened, Pool, Sharing, Synthetic, SyntheticMode, Verdict, examine, open_associated, seal
from tpsi import field as gf
from tpsi.detection import Outcome

T = 3
COVER = Synthetic(SyntheticMode.REPLACE, 200_000)


def revealed(world: World, opened: list[Opened]) -> set[str]:
    """The associated data that an examination reveals, as text."""
    result = world.examine(opened)
    return {data.decode() for data in result.associated if data is not None}


@pytest.mark.parametrize("suite", [RISTRETTO, P256])
@pytest.mark.parametrize("encoding", ["fuse", "cuckoo"])
def test_t_matches_reveal_nothing_and_one_more_reveals_all(suite: str, encoding: str) -> None:
    world = World(range(8), suite=suite, encoding=encoding, sharing=Sharing(T, 4))
    opened = world.opened(world.seal([0, 1, 2, 100, 3, 101]))
    assert len(opened) == T + 1
    at_threshold = world.examine(opened[:T])
    assert at_threshold.outcome is Outcome.BELOW_THRESHOLD
    assert set(at_threshold.verdicts) == {Verdict.WITHHELD}
    assert set(at_threshold.associated) == {None}
    assert at_threshold.ad_key is None
    assert revealed(world, opened) == {"0", "1", "2", "3"}


def test_one_share_opens_nothing() -> None:
    world = World(range(8), sharing=Sharing(1, 3))
    assert world.examine(world.opened(world.seal([5]))).outcome is Outcome.BELOW_THRESHOLD


def test_forty_copies_of_one_listed_item_reveal_nothing() -> None:
    world = World(range(8))
    opened = world.opened(world.seal([4] * 40))
    assert len(opened) == 1
    assert world.examine(opened).outcome is Outcome.BELOW_THRESHOLD


def test_forty_copies_from_forty_devices_of_an_account_reveal_nothing() -> None:
    """Devices do not know what others have sealed: their shares repeat, and count once."""
    world = World(range(8))
    opened = [one for _ in range(40) for one in world.opened(world.seal([4]))]
    result = world.examine(opened)
    assert (result.outcome, result.shares) == (Outcome.BELOW_THRESHOLD, 1)


@pytest.mark.parametrize("mode", [SyntheticMode.REPLACE, SyntheticMode.ADD])
def test_exactly_t_matches_and_any_number_of_synthetic_ones_reveal_nothing(mode: SyntheticMode) -> None:
    world = World(range(8), synthetic=Synthetic(mode, 300_000))
    secret = next(bytes([key]) * 32 for key in range(99) if _reals(world, bytes([key]) * 32, 3) == 3)
    device = world.device(account_secret=secret)
    opened = world.opened(world.seal([*range(3), *range(100, 160)], device))
    assert len(opened) > 10
    result = examine(device.keys.pool, opened)
    assert result.outcome is Outcome.UNDECIDED
    assert set(result.associated) == {None}


def _reals(world: World, secret: bytes, count: int) -> int:
    batch = world.seal(range(count), world.device(account_secret=secret))
    return len({one.share for one in world.opened(batch)} & _real_shares(world, secret, count))


def _real_shares(world: World, secret: bytes, count: int) -> set[bytes]:
    from tpsi.account import shares

    keys = world.keys(account_secret=secret)
    return set(shares(keys, [item.probes[0].encode() for item in items_of(range(count))]))


def test_matches_above_the_threshold_are_told_from_synthetic_ones() -> None:
    world = World(range(40), sharing=Sharing(5, 16), synthetic=COVER)
    batch = world.seal([*range(30), *range(100, 160)])
    kinds = {voucher.voucher_id: voucher for voucher in batch.vouchers}
    opened = world.opened(batch)
    result = world.examine(opened)
    assert result.outcome is Outcome.REVEALED
    for one, verdict, data in zip(opened, result.verdicts, result.associated, strict=True):
        item = kinds[one.voucher_id].item
        real = kinds[one.voucher_id].kind.value == "real"
        assert verdict is (Verdict.REVEALED if real else Verdict.REJECTED)
        assert data == (str(item).encode() if real else None)


def test_after_a_reveal_later_matches_open_with_the_key() -> None:
    world = World(range(20))
    result = world.examine(world.opened(world.seal(range(6))))
    later = world.opened(world.seal([17]))[0]
    assert result.ad_key is not None
    assert open_associated(result.ad_key, later) == b"17"


def test_shares_of_different_pools_do_not_add_up() -> None:
    world = World(range(20))
    first = world.opened(world.seal([0, 1]))
    rescanned = world.opened(world.seal([2, 3], world.device(generation=1)))
    assert world.examine([*first, *rescanned]).outcome is Outcome.UNDECIDED


# ------------------------------------------------------------------ hostile shares


def honest(count: int) -> tuple[World, list[Opened]]:
    world = World(range(20), sharing=Sharing(T, 4))
    return world, world.opened(world.seal(range(count)))


def forged(like: Opened, share: bytes, name: int) -> Opened:
    return replace(like, voucher_id=name.to_bytes(16, "big"), share=share)


@pytest.mark.parametrize(
    "share",
    [
        bytes(8 * 5),
        bytes(7) + b"\x01" + b"\xff" * 32,
        b"\xff" * 40,
        b"",
        b"\x00",
        bytes(8 * 4),
        bytes(8 * 6),
        gf.P.to_bytes(8, "big") * 5,
        bytes(8) + b"\x11" * 32,
    ],
    ids=[
        "zero",
        "rows too large",
        "all ones",
        "empty",
        "one octet",
        "row missing",
        "row too many",
        "p",
        "coordinate zero",
    ],
)
def test_a_malformed_share_is_set_aside_and_hides_nobody(share: bytes) -> None:
    world, opened = honest(5)
    result = world.examine([forged(opened[0], share, 1), *opened])
    assert result.verdicts == (Verdict.MALFORMED, *[Verdict.REVEALED] * 5)


def test_a_repeated_coordinate_with_other_rows_is_flagged() -> None:
    world, opened = honest(6)
    other = opened[0].share[:8] + bytes(32)
    result = world.examine([*opened, forged(opened[0], other, 1)])
    assert result.verdicts[0] is result.verdicts[-1] is Verdict.CONFLICTING
    assert result.verdicts[1:-1] == (Verdict.REVEALED,) * 5


def test_a_real_share_with_payload_that_does_not_open_is_flagged() -> None:
    world, opened = honest(6)
    broken = replace(opened[2], adct=bytes(len(opened[2].adct)))
    result = world.examine([*opened[:2], broken, *opened[3:]])
    assert result.verdicts[2] is Verdict.UNOPENED
    assert result.verdicts.count(Verdict.REVEALED) == 5


def test_a_wrong_secret_is_never_believed_even_if_any_shares_interpolate() -> None:
    """t + 1 shares always lie on some curve: only an opened payload tells whether on the right one."""
    world, opened = honest(T)
    rng = Drbg("wrong")
    for trial in range(30):
        random = gf.encode(np.frombuffer(rng(40), ">u8").astype(np.uint64) % np.uint64(gf.P - 1) + np.uint64(1))
        result = world.examine([*opened, forged(opened[0], random, trial)])
        assert result.outcome is Outcome.UNDECIDED
        assert set(result.associated) == {None}


def test_a_second_curve_with_its_own_payloads_does_not_hide_the_first() -> None:
    """A device that shares two secrets: whichever is believed, its payloads opened, and the rest is rejected."""
    world, opened = honest(8)
    second = world.opened(world.seal(range(10, 14), world.device(account_secret=b"\x77" * 32)))
    result = world.examine([*opened, *second])
    assert result.outcome is Outcome.REVEALED
    assert set(result.verdicts[:8]) == {Verdict.REVEALED}
    assert set(result.verdicts[8:]) == {Verdict.REJECTED}


def test_errors_of_low_rank_do_not_hide_the_matches() -> None:
    """All rows off by one: more solutions than random errors leave, within the radius that corrects any pattern."""
    world, opened = honest(12)
    spoilt = []
    for one in opened[:4]:
        values = gf.decode(one.share)
        assert values is not None
        values[1:] = gf.add(values[1:], np.ones(4, np.uint64))
        spoilt.append(replace(one, share=gf.encode(values)))
    result = world.examine([*spoilt, *opened[4:]])
    assert result.verdicts == (Verdict.REJECTED,) * 4 + (Verdict.REVEALED,) * 8


@given(blobs=st.lists(st.binary(max_size=60), max_size=12), rows=st.integers(3, 6), threshold=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_no_shares_make_an_examination_fail(blobs: list[bytes], rows: int, threshold: int) -> None:
    opened = [Opened(bytes([i]) * 16, 0, blob, blob) for i, blob in enumerate(blobs)]
    result = examine(Pool(bytes(16), 0, Sharing(threshold, rows)), opened)
    assert result.outcome is not Outcome.REVEALED
    assert set(result.associated) <= {None}


def test_the_published_setting_is_decided_in_one_go() -> None:
    """340 opened, 40 of them real, at t = 30 and u = 64: all real ones, and only they."""
    world = World(range(40), sharing=Sharing(30, 64))
    keys = world.keys()
    from tpsi.account import shares, synthetic_share

    opened = world.opened(world.seal(range(40)))
    fakes = [forged(opened[0], synthetic_share(keys, bytes([1, i % 256, i // 256])), 1000 + i) for i in range(300)]
    assert len(shares(keys, [b"x"])[0]) == len(fakes[0].share)
    result = world.examine([*fakes, *opened])
    assert result.verdicts == (Verdict.REJECTED,) * 300 + (Verdict.REVEALED,) * 40


def test_items_without_associated_data_are_revealed_as_empty() -> None:
    world = World(range(8))
    from tpsi import Item

    items = [Item(item.identifier, item.probes) for item in items_of(range(5))]
    opened = world.opened(seal(world.device(), items))
    assert world.examine(opened).associated == (b"",) * 5
