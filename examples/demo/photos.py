"""The pictures of the demonstration: regions of the sample photographs that scikit-image ships, or the user's own.

All of them are written to one folder as JPEG files, and differ from each other by more than copies of one picture do.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

from examples.demo.errors import DemoError
from tpsi.items import ItemHash
from tpsi.pictures import Picture, PictureError, hasher, scan

HASH_TYPE = "pdq"

#: Copies of one picture differ in up to 31 of the 256 bits, by PDQ's own guidance; no two pictures here are as alike.
LEAST_DISTANCE = 48

#: Photographs that lie in scikit-image's wheel, so that nothing is downloaded; the most telling ones first.
SAMPLES = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "hubble_deep_field.jpg",
    "camera.png",
    "coins.png",
    "moon.png",
    "ihc.png",
    "retina.jpg",
    "brick.png",
)
REGIONS_OF_A_SAMPLE = 36

#: Width and height of the regions; each size is laid over a photograph in steps of half of it.
REGION_SIZES = ((320, 240), (240, 180), (180, 240), (160, 120))

#: More of the user's pictures than this change nothing but the time that the demonstration takes.
MOST_PICTURES = 400

#: The user's pictures are reduced to this many pixels along the longer side before they are dealt out.
LONGEST_SIDE = 640

_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture: its file, its hash as every device computes it, and what it was made from."""

    path: Path
    hash: ItemHash
    origin: str


class Collection:
    """The pictures found so far, in `folder`; a picture too plain to be hashed, or like an earlier one, stays out."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._digests: list[int] = []
        self.photos: list[Photo] = []

    def add(self, image: Image.Image, origin: str) -> bool:
        """Write the picture as a JPEG file and keep it, if its hash tells it from all others; False if it does not."""
        data = _jpeg(image)
        try:
            digest = hasher(HASH_TYPE).hash(Picture.from_bytes(data, origin))
        except PictureError:
            return False
        number = int.from_bytes(digest.digest, "big")
        if any((number ^ other).bit_count() < LEAST_DISTANCE for other in self._digests):
            return False
        path = self._folder / f"{len(self.photos):04d}.jpg"
        path.write_bytes(data)
        self._digests.append(number)
        self.photos.append(Photo(path, digest, origin))
        return True


def sample_photos(
    folder: Path, rng: random.Random, progress: Callable[[int], None], names: Iterable[str] = SAMPLES
) -> list[Photo]:
    """Several hundred regions of scikit-image's photographs; `progress` is told how many there are so far.

    Raises DemoError if scikit-image is not installed.
    """
    collection = Collection(folder)
    for name in names:
        image = _sample(name)
        boxes = list(_boxes(*image.size))
        rng.shuffle(boxes)
        found = 0
        for box in boxes:
            found += collection.add(image.crop(box), Path(name).stem)
            progress(len(collection.photos))
            if found == REGIONS_OF_A_SAMPLE:
                break
    return collection.photos


def own_photos(source: Path, folder: Path, progress: Callable[[int], None]) -> list[Photo]:
    """The user's pictures below `source`, reduced; at most MOST_PICTURES. Raises DemoError if it is not a folder."""
    collection = Collection(folder)
    try:
        for path in scan(source):
            try:
                image = Picture.read(path).image.copy()
            except PictureError:
                continue
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            collection.add(image, path.name)
            progress(len(collection.photos))
            if len(collection.photos) == MOST_PICTURES:
                break
    except PictureError:
        raise DemoError(f"{source} is not a folder that can be read; name one that holds pictures") from None
    return collection.photos


def require(photos: list[Photo], needed: int, source: Path | None) -> None:
    """Raise DemoError if there are fewer pictures than the cast needs."""
    if len(photos) < needed:
        where = "the samples have" if source is None else f"{source} holds"
        raise DemoError(
            f"{where} {len(photos)} pictures that can be told apart by their {HASH_TYPE} hashes, and the demonstration "
            f"needs {needed}; name a folder with more of them with --photos, or choose a lower --threshold"
        )


def _sample(name: str) -> Image.Image:
    try:
        data = (files("skimage") / "data" / name).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        raise DemoError(
            "the sample photographs of scikit-image are missing; run: pip install 'tpsi[demo]', "
            "or name a folder of your own pictures with --photos"
        ) from None
    return Image.open(BytesIO(data)).convert("RGB")


def _boxes(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    for across, down in REGION_SIZES:
        for top in range(0, height - down + 1, down // 2):
            for left in range(0, width - across + 1, across // 2):
                yield left, top, left + across, top + down


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
