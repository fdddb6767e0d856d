"""Two devices of an account, or one that lost its memory, tell the server nothing (specification, 6.1 and 10.5)."""

from dataclasses import replace

from tests.support.drbg import Drbg
from tests.support.world import World
from tpsi import Sharing, Synthetic, SyntheticMode, draw_generation

COVER = Synthetic(SyntheticMode.REPLACE, 100_000)


def test_what_a_second_device_seals_under_the_next_epoch_does_not_name_the_matches() -> None:
    """Epoch 2 no longer lists what epoch 1 did; the account's new device, with no memory, seals the same library.

    If its shares were those of the first device, the synthetic ones would repeat and the matches vanish.
    """
    listed, library = range(100), [*range(5), *range(5000, 5300)]
    first = World(listed, sharing=Sharing(30, 16), synthetic=COVER)
    second = World(range(1000, 1100), sharing=Sharing(30, 16), synthetic=COVER, seed="epoch 2")
    changed = {"list_id": first.manifest.list_id, "epoch": 2, "previous": first.manifest.digest}
    second.manifest = replace(second.manifest, **changed)  # type: ignore[arg-type]
    before = {one.share for one in first.opened(first.seal(library))}
    new_device = second.device(generation=draw_generation(Drbg("the new device")))
    after = {one.share for one in second.opened(second.seal(library, new_device))}
    assert len(before) > 5
    assert len(after) > 5
    assert not {share[:8] for share in before} & {share[:8] for share in after}


def test_every_device_draws_a_generation_of_its_own() -> None:
    rng = Drbg("generations")
    assert len({draw_generation(rng) for _ in range(1000)}) == 1000
    assert max(draw_generation(rng) for _ in range(1000)) > 2**31
