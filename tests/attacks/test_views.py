"""What a server sees of one item of a device must not be possible only if the item is listed (section 10.5).

A view is (vouchers that the item gave, how many open, distinct shares among them); the server sees it whenever a
device seals a single picture, as a messenger does.
"""

from dataclasses import replace

import pytest

from tests.support.world import World, md5
from tpsi import CountBy, Item, Pins, Sharing, Synthetic, SyntheticMode, VerificationError, seal
from tpsi.trust import check_parameters

MANY = 100_000


def views(world: World, names: range, hashes: int) -> set[tuple[int, int, int]]:
    seen = set()
    for name in names:
        others = [Item(str(name).encode(), (md5((name, number)),)) for number in range(1, hashes)]
        batch = seal(world.device(), [Item(str(name).encode(), (md5(name),)), *others], rng=world.rng)
        opened = world.opened(batch)
        seen.add((len(batch.vouchers), len(opened), len({one.share for one in opened})))
    return seen


@pytest.mark.parametrize(
    ("mode", "count_by", "hashes"),
    [
        (SyntheticMode.REPLACE, CountBy.HASH, 1),
        (SyntheticMode.REPLACE, CountBy.ITEM, 2),  # one identifier under two hashes: an edited picture, two hash types
    ],
)
def test_no_view_of_a_single_item_proves_that_it_is_listed(mode: SyntheticMode, count_by: CountBy, hashes: int) -> None:
    world = World(range(60), sharing=Sharing(30, 16, count_by), synthetic=Synthetic(mode, MANY))
    assert views(world, range(60), hashes) <= views(world, range(5000, 5200), hashes)


def test_mode_add_and_no_cover_are_used_by_choice_only() -> None:
    """In mode add a single voucher is never synthetic, so one that opens is a match, whenever the server knows how many
    items there were; a device accepts such a list only if its owner chose so."""
    world = World(range(60), sharing=Sharing(30, 16), synthetic=Synthetic(SyntheticMode.ADD, MANY))
    assert (1, 1, 1) in views(world, range(60), 1) - views(world, range(5000, 5200), 1)
    for synthetic in (world.synthetic, Synthetic(SyntheticMode.NONE, 0)):
        manifest = replace(world.manifest, synthetic=synthetic)
        pins = Pins(manifest.list_id, bytes(32), 30)
        with pytest.raises(VerificationError, match="mode of synthetic vouchers"):
            check_parameters(manifest, pins)
        check_parameters(manifest, replace(pins, modes=(synthetic.mode,)))
