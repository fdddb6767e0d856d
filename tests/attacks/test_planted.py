"""What a planted picture shows: an attack that works, and that owners and operators are told of (specification, 10.5).

Who can put a listed picture onto a device, and sees whether its voucher opens, learns whether the device had it.
"""

import pytest

from tests.support.world import World, md5
from tpsi import Item, Probes, Sharing, Synthetic, SyntheticMode, seal
from tpsi.planning import memory_tags

COVER = Synthetic(SyntheticMode.REPLACE, 50_000)


def test_a_planted_listed_picture_opens_unless_the_device_had_it() -> None:
    world = World(range(40), sharing=Sharing(100, 4), synthetic=COVER)
    had = world.seal(range(20))
    assert len(world.opened(had)) == 20
    remembered = {tag for tags in had.tags for tag in tags}
    planted = world.match(world.seal(range(40), known=remembered.__contains__))
    assert [one is not None for one in planted] == [False] * 20 + [True] * 20


@pytest.mark.parametrize("named", ["planted copy", "another"])
def test_of_a_picture_that_is_not_listed_nothing_is_learned(named: str) -> None:
    world = World(range(40), probes=Probes(2, True), synthetic=Synthetic(SyntheticMode.REPLACE, 1))
    device = world.device()
    had = Item(b"had", (md5("a picture"), md5("its likeliest copy")))
    sent = Item(b"sent", (md5(named), md5("its likeliest copy")))
    known = set(memory_tags(device.keys, [had])[0])
    for memory in (known, set()):
        batch = seal(device, [sent], known=memory.__contains__, rng=world.rng)
        assert world.opened(batch) == []


def test_a_near_copy_of_a_sealed_picture_never_matches() -> None:
    """The price of sealing each picture once: of near copies only the first can match."""
    world = World(["listed"], probes=Probes(2, True))
    far, near = (Item(b"far", (md5("far"), md5("between"))), Item(b"near", (md5("listed"), md5("between"))))
    assert len(world.opened(seal(world.device(), [near], rng=world.rng))) == 1
    assert world.opened(seal(world.device(), [far, near], rng=world.rng)) == []
