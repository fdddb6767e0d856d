"""The albums: exact numbers of matches, spread over the days, and copies that share a hash."""

import hashlib
import random
from itertools import pairwise
from pathlib import Path

import pytest

from examples.demo.albums import Album, choose_listed, deal, write_album
from examples.demo.cast import CAST, COPIES, listed_needed, pictures_needed
from examples.demo.errors import DemoError
from examples.demo.photos import HASH_TYPE, sample_photos
from examples.demo.promise import fewest_decisive
from tests.demo.imagined import DAYS, THRESHOLD, Run, one_in_eight
from tpsi.pictures import Picture, hasher

ALICE, BOB, CAROL, DAVE, ERIN = CAST


def matches(album: Album) -> int:
    """Distinct listed hashes of an album."""
    return len(album.matches(DAYS))


def test_the_cast_has_none_exactly_t_far_more_one_and_just_enough(run: Run) -> None:
    alice, bob, carol, dave, erin = (run.album(member, one_in_eight) for member in CAST)
    assert matches(alice) == 0
    assert matches(bob) == THRESHOLD
    assert matches(carol) >= 3 * THRESHOLD
    assert matches(dave) == 1
    assert sum(shot.listed for shot in dave.until(DAYS)) == COPIES
    assert matches(erin) == fewest_decisive(THRESHOLD, erin.synthetic(DAYS))
    assert all(album.synthetic(DAYS) > 0 for album in (alice, bob, carol, erin))


def test_no_listed_picture_is_replaced_and_no_picture_stands_twice(run: Run) -> None:
    for member in CAST:
        shots = run.album(member, one_in_eight).until(DAYS)
        assert not any(shot.listed and one_in_eight(shot.photo.hash) for shot in shots)
        assert all(shot.replaced == one_in_eight(shot.photo.hash) for shot in shots if not shot.listed)
        assert len({shot.name for shot in shots}) == len(shots)
        distinct = {shot.photo.hash for shot in shots}
        assert len(distinct) == len(shots) - (member.copies - 1)


def test_matches_are_spread_over_the_days(run: Run) -> None:
    album = run.album(CAROL)
    counts = [len(album.matches(day)) for day in range(DAYS + 1)]
    steps = [after - before for before, after in pairwise(counts)]
    assert counts[0] == 0
    assert max(steps) - min(steps) <= 1


def test_the_list_takes_pictures_of_as_many_photographs_as_there_are(run: Run) -> None:
    listed, others = choose_listed(run.photos, 30, random.Random(5))
    assert len({photo.origin for photo in listed}) == 30
    assert not {photo.path for photo in listed} & {photo.path for photo in others}
    assert len(listed) + len(others) == len(run.photos)


def test_as_many_pictures_as_are_asked_for_suffice(run: Run) -> None:
    few = Run(run.photos[: pictures_needed(THRESHOLD)])
    for member in CAST:
        few.album(member, one_in_eight)


def test_a_list_that_chance_has_replaced_is_an_error_and_no_weaker_run(run: Run) -> None:
    listed, others = choose_listed(run.photos, listed_needed(THRESHOLD), random.Random(1))
    listed_hashes = {photo.hash for photo in listed}
    with pytest.raises(DemoError, match="start once more"):
        deal(
            BOB,
            listed,
            others,
            threshold=THRESHOLD,
            days=DAYS,
            replaces=listed_hashes.__contains__,
            rng=random.Random(1),
        )


def test_copies_in_other_files_and_formats_have_one_hash_but_many_contents(tmp_path: Path) -> None:
    photos = sample_photos(tmp_path / "photos", random.Random(1), lambda _done: None, ("astronaut.png", "coffee.png"))
    album = deal(DAVE, photos[:2], photos[2:], threshold=3, days=2, replaces=lambda _item: False, rng=random.Random(1))
    folders = write_album(album, tmp_path / "album")
    files = [folder / shot.name for folder, shots in zip(folders, album.days, strict=True) for shot in shots]
    assert sorted(files) == sorted(path for folder in folders for path in folder.iterdir())
    copies = [
        folder / shot.name for folder, day in zip(folders, album.days, strict=True) for shot in day if shot.listed
    ]
    assert len(copies) == COPIES
    assert {hasher(HASH_TYPE).hash(Picture.read(path)) for path in copies} == album.matches(2)
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in copies}) == 5
