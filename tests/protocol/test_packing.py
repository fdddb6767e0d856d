"""Many vouchers at once are read as one after another: the same are refused, in the same words, the same slots read."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import FEW, P256, World, items_of
from tpsi import DecodeError, Probes, Submission, Voucher, match, seal
from tpsi.packing import unpack_slots

WORLDS = [World([1, 2]), World([1, 2], P256, "cuckoo", FEW, probes=Probes(2, True))]


def _vouchers(world: World) -> list[bytes]:
    batch = seal(world.device(), [item for size in (0, 5, 90) for item in items_of([size], bytes(size) or b"")])
    return [voucher.data for voucher in batch.vouchers]


@pytest.mark.parametrize("world", WORLDS, ids=["ristretto255, one slot", "P-256, four slots"])
def test_the_slots_are_those_of_each_voucher(world: World) -> None:
    vouchers = _vouchers(world)
    assert len({len(voucher) for voucher in vouchers}) > 1
    q, ct = unpack_slots(vouchers, world.manifest)
    expected = [slot for voucher in vouchers for slot in Voucher.decode(voucher, world.manifest).slots]
    assert [(row.tobytes(), rest.tobytes()) for row, rest in zip(q, ct, strict=True)] == expected


@pytest.mark.parametrize("world", WORLDS, ids=["ristretto255, one slot", "P-256, four slots"])
def test_no_vouchers_have_no_slots(world: World) -> None:
    q, ct = unpack_slots([], world.manifest)
    assert len(q) == len(ct) == 0
    assert match(world.manifest, world.built.secrets, []) == []


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _data: b"",
    "a header alone": lambda data: data[:40],
    "a slot cut short": lambda data: data[:100],
    "an octet short": lambda data: data[:-1],
    "an octet long": lambda data: data + b"\0",
    "twice": lambda data: data + data,
    "version 2": lambda data: b"\2" + data[1:],
    "another manifest": lambda data: data[:16] + bytes([data[16] ^ 1]) + data[17:],
    "no slots": lambda data: data[:37] + bytes(2) + data[39:],
    "256 slots more": lambda data: data[:37] + b"\1" + data[38:],
    "another size class": lambda data: data[:39] + bytes([data[39] + 1]) + data[40:],
    "size class 24": lambda data: data[:39] + b"\x18" + data[40:],
    "size class 255": lambda data: data[:39] + b"\xff" + data[40:],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("world", WORLDS, ids=["ristretto255, one slot", "P-256, four slots"])
def test_one_that_is_refused_alone_is_refused_among_others(world: World, spoil: Callable[[bytes], bytes]) -> None:
    good = _vouchers(world)
    bad = spoil(good[0])
    with pytest.raises(DecodeError) as alone:
        Voucher.decode(bad, world.manifest)
    for batch in ([bad], [bad, *good], [*good, bad], [good[0], bad, bad, good[1]]):
        with pytest.raises(DecodeError) as among:
            match(world.manifest, world.built.secrets, [Submission("alice", data) for data in batch])
        assert str(among.value) == str(alone.value)


@given(place=st.integers(0, 39), value=st.integers(0, 255), end=st.integers(-3, 3))
@settings(max_examples=200, deadline=None)
def test_whatever_is_in_a_header_and_however_long_it_is(place: int, value: int, end: int) -> None:
    world = WORLDS[0]
    good = world.seal([1]).vouchers[0].data
    changed = good[:place] + bytes([value]) + good[place + 1 :]
    changed = changed[:end] if end < 0 else changed + bytes(end)
    try:
        slots = Voucher.decode(changed, world.manifest).slots
    except DecodeError:
        with pytest.raises(DecodeError):
            unpack_slots([good, changed], world.manifest)
        return
    q, ct = unpack_slots([good, changed], world.manifest)
    assert [(q[1].tobytes(), ct[1].tobytes())] == list(slots)
