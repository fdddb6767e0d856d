"""Albums: the files that each device holds, and the day on which each of them is taken."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from examples.demo.cast import Member
from examples.demo.errors import DemoError
from examples.demo.photos import Photo
from tpsi.items import ItemHash

#: How a file was made: a copy of the same bytes under another name, or the same pixels in another format.
SAME_BYTES = "same bytes"
FORMATS = (SAME_BYTES, "png", "bmp", "tiff", "webp")


@dataclass(frozen=True, slots=True)
class Shot:
    """A file on a device: its name, the picture it shows, and what is special about it.

    `replaced`: the device sends a synthetic voucher instead of the picture's own.
    """

    name: str
    photo: Photo
    listed: bool = False
    replaced: bool = False
    saved: str = SAME_BYTES


@dataclass(frozen=True, slots=True)
class Album:
    """What a member's device holds, day by day."""

    member: Member
    days: tuple[tuple[Shot, ...], ...]

    @property
    def holds(self) -> str:
        """What is listed of it, in words."""
        return self.member.describe(len(self.matches(len(self.days))))

    def until(self, days: int) -> list[Shot]:
        """All files of so many first days."""
        return [shot for shots in self.days[:days] for shot in shots]

    def matches(self, days: int) -> set[ItemHash]:
        """The distinct listed hashes among the files of so many first days."""
        return {shot.photo.hash for shot in self.until(days) if shot.listed}

    def synthetic(self, days: int) -> int:
        """The number of synthetic vouchers for the files of so many first days."""
        return len({shot.photo.hash for shot in self.until(days) if shot.replaced})


def choose_listed(photos: Sequence[Photo], count: int, rng: random.Random) -> tuple[list[Photo], list[Photo]]:
    """Split the pictures into those that go onto the list, from as many photographs as possible, and the others."""
    shuffled = rng.sample(photos, len(photos))
    seen: Counter[str] = Counter()
    ranks = {}
    for photo in shuffled:
        ranks[photo.path] = seen[photo.origin]
        seen[photo.origin] += 1
    mixed = sorted(shuffled, key=lambda photo: ranks[photo.path])
    return mixed[:count], mixed[count:]


def deal(
    member: Member,
    listed: Sequence[Photo],
    others: Sequence[Photo],
    *,
    threshold: int,
    days: int,
    replaces: Callable[[ItemHash], bool],
    rng: random.Random,
) -> Album:
    """Draw a member's pictures.

    `replaces` tells for which pictures its device will send a synthetic voucher. No listed picture is among
    those, so that the number of matches is exact; other pictures come as they come.
    """
    mine = rng.sample(others, member.others)
    synthetic = sum(replaces(photo.hash) for photo in mine)
    usable = [photo for photo in listed if not replaces(photo.hash)]
    wanted = member.listed(threshold, synthetic)
    if len(usable) < wanted:
        raise DemoError("chance has replaced nearly all listed pictures by synthetic vouchers; start once more")
    matching = [photo for photo in rng.sample(usable, wanted) for _ in range(member.copies)]
    shots = [Shot("", photo, listed=True, saved=_saved(member, place)) for place, photo in enumerate(matching)]
    shots += [Shot("", photo, replaced=replaces(photo.hash)) for photo in mine]
    return Album(member, _spread(shots, days, rng))


def write_album(album: Album, folder: Path) -> list[Path]:
    """Write the files of every day below `folder`; returns one folder for each day."""
    written = []
    for number, shots in enumerate(album.days, 1):
        day = folder / f"day{number}"
        day.mkdir(parents=True)
        for shot in shots:
            _write(shot, day / shot.name)
        written.append(day)
    return written


def _saved(member: Member, place: int) -> str:
    return FORMATS[place % len(FORMATS)] if member.copies > 1 else SAME_BYTES


def _spread(shots: Sequence[Shot], days: int, rng: random.Random) -> tuple[tuple[Shot, ...], ...]:
    """Matching and other pictures evenly over the days, in random order within each, numbered as a camera does."""
    number = iter(range(1000, 1000 + len(shots)))
    pages = (shots[day::days] for day in range(days))
    return tuple(tuple(_named(shot, next(number)) for shot in rng.sample(page, len(page))) for page in pages)


def _named(shot: Shot, number: int) -> Shot:
    extension = "jpg" if shot.saved == SAME_BYTES else shot.saved
    return Shot(f"IMG_{number}.{extension}", shot.photo, shot.listed, shot.replaced, shot.saved)


def _write(shot: Shot, path: Path) -> None:
    if shot.saved == SAME_BYTES:
        shutil.copyfile(shot.photo.path, path)
        return
    with Image.open(shot.photo.path) as image:
        image.save(path, shot.saved.upper(), **({"lossless": True} if shot.saved == "webp" else {}))
