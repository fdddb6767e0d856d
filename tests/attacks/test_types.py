"""A device reckons ⌊t / types⌋ pictures: so it may seal hashes of the manifest's types only (section 5, check 5)."""

import pytest

from tests.support.world import World
from tpsi import CallerError, Item, ItemHash, seal


def test_a_hash_type_that_the_manifest_does_not_name_is_not_sealed() -> None:
    world = World(range(10))
    assert world.manifest.types == ("md5",)
    with pytest.raises(CallerError):
        seal(world.device(), [Item(b"x", (ItemHash("sha1", bytes(20)),))], rng=world.rng)
