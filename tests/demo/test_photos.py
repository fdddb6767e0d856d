"""The pictures: distinct, hashable, and enough of them."""

import random
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from examples.demo.errors import DemoError
from examples.demo.photos import HASH_TYPE, LEAST_DISTANCE, Collection, own_photos, require, sample_photos
from tpsi.pictures import Picture, hasher


def quiet(_done: int) -> None:
    """Progress that nobody watches."""


def blurred(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture of random patches of light, the same for the same seed."""
    patches = Image.frombytes("RGB", (9, 7), random.Random(seed).randbytes(9 * 7 * 3))
    return patches.resize(size, Image.Resampling.BICUBIC)


def test_regions_of_the_samples_are_hashed_as_a_device_does_and_all_distinct(tmp_path: Path) -> None:
    photos = sample_photos(tmp_path, random.Random(1), quiet, ("astronaut.png", "chelsea.png"))
    assert len(photos) > 40
    assert {photo.origin for photo in photos} == {"astronaut", "chelsea"}
    numbers = [int.from_bytes(photo.hash.digest) for photo in photos]
    assert min((one ^ other).bit_count() for one, other in combinations(numbers, 2)) >= LEAST_DISTANCE
    for photo in photos[::8]:
        assert hasher(HASH_TYPE).hash(Picture.read(photo.path)) == photo.hash


def test_the_same_seed_gives_the_same_pictures(tmp_path: Path) -> None:
    first, second = (
        sample_photos(tmp_path / name, random.Random(3), quiet, ("chelsea.png",)) for name in ("one", "two")
    )
    assert [photo.hash for photo in first] == [photo.hash for photo in second]


def test_a_plain_picture_and_a_near_copy_stay_out(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    assert not collection.add(Image.new("RGB", (200, 150), "grey"), "plain")
    assert collection.add(blurred(1, (200, 150)), "patches")
    assert not collection.add(blurred(1, (400, 300)), "the same, larger")
    assert len(collection.photos) == len(list(tmp_path.iterdir())) == 1


def test_own_pictures_are_found_below_a_folder_reduced_and_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    (source / "holiday").mkdir(parents=True)
    for number in range(3):
        blurred(number, (1600, 900)).save(source / "holiday" / f"{number}.png")
    (source / "holiday" / "copy.png").write_bytes((source / "holiday" / "0.png").read_bytes())
    (source / "notes.txt").write_text("no picture")
    (source / "broken.jpg").write_bytes(b"\xff\xd8 no picture either")
    photos = own_photos(source, tmp_path / "out", quiet)
    assert len(photos) == 3
    assert {Picture.read(photo.path).image.size for photo in photos} == {(640, 360)}


def test_too_few_pictures_are_refused_in_a_sentence_that_says_how_many(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"holds 0 pictures .* needs 120; .*--photos.*--threshold"):
        require([], 120, tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="not a folder that can be read"):
        own_photos(tmp_path / "nowhere", tmp_path / "out", quiet)


def test_a_missing_sample_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="pip install"):
        sample_photos(tmp_path, random.Random(1), quiet, ("no-such-photograph.png",))
