"""The pictures that are measured: a folder of the user's, or regions of the few that scikit-image ships."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image

from recall.errors import RecallError
from tpsi.pictures import Picture, PictureError, scan

#: Photographs that lie in scikit-image's wheel, so that nothing is downloaded.
SAMPLES = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)

#: Larger pictures are reduced to this many pixels along the longer side, before anything is done to them.
LONGEST_SIDE = 1024
_REGIONS = 2  # regions along each side of a sample, which do not overlap


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture (mode RGB), what it was cut from, and its name."""

    name: str
    origin: str
    image: Image.Image


def packaged() -> list[Sample]:
    """Every sample whole, and in four regions."""
    folder = files("skimage.data")
    found: list[Sample] = []
    for name in SAMPLES:
        whole = _reduced(Picture.from_bytes(folder.joinpath(name).read_bytes(), name).image)
        found.append(Sample(name, name, whole))
        found += [Sample(f"{name} {place}", name, region) for place, region in _regions(whole)]
    return found


def of_folder(folder: Path, most: int) -> list[Sample]:
    """The first `most` readable pictures of a folder. Raises RecallError if there are fewer than two."""
    found: list[Sample] = []
    for path in scan(folder):
        if len(found) == most:
            break
        try:
            found.append(Sample(str(path.relative_to(folder)), str(path), _reduced(Picture.read(path).image)))
        except PictureError:
            continue
    if len(found) < 2:
        raise RecallError(f"{folder} holds fewer than two pictures that can be read")
    return found


def _regions(image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    width, height = image.width // _REGIONS, image.height // _REGIONS
    for row in range(_REGIONS):
        for column in range(_REGIONS):
            left, top = column * width, row * height
            yield f"{row},{column}", image.crop((left, top, left + width, top + height))


def _reduced(image: Image.Image) -> Image.Image:
    part = LONGEST_SIDE / max(image.size)
    if part >= 1:
        return image
    size = (max(1, round(image.width * part)), max(1, round(image.height * part)))
    return image.resize(size, Image.Resampling.LANCZOS)
