"""How far the second hash of a copy's small picture is from the listed picture's: what the radius is chosen by."""

import warnings
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from itertools import combinations

import numpy as np
import typer
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tpsi.pictures import RADII, Picture, PictureError, derivative, second_hash

#: Photographs that lie in scikit-image's wheel.
SAMPLES = (
    *("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg"),
    *("camera.png", "coins.png", "moon.png", "ihc.png", "retina.jpg", "brick.png", "grass.png", "gravel.png"),
    *("page.png", "text.png", "color.png", "horse.png"),
)


def _scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def _cropped(part: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: ImageOps.crop(image, round(min(image.size) * part / 2))


#: What happens to a copy, and the JPEG quality that it is saved with.
COPIES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "the same": (lambda image: image, 100),
    "JPEG 75": (lambda image: image, 75),
    "JPEG 30": (lambda image: image, 30),
    "half as large": (_scaled(0.5), 85),
    "a quarter as large": (_scaled(0.25), 85),
    "brighter by 20 %": (lambda image: ImageEnhance.Brightness(image).enhance(1.2), 85),
    "contrast by 20 %": (lambda image: ImageEnhance.Contrast(image).enhance(1.2), 85),
    "blurred": (lambda image: image.filter(ImageFilter.GaussianBlur(1.5)), 85),
    "grey": (lambda image: image.convert("L").convert("RGB"), 85),
    "cropped by 1 %": (_cropped(0.01), 85),
    "cropped by 3 %": (_cropped(0.03), 85),
}


def second() -> None:
    """Measure how far the second hash of a copy's small picture is from the listed picture's."""
    warnings.simplefilter("ignore")
    images = {name: _load(name) for name in SAMPLES}
    for kind, radius in RADII.items():
        listed = {name: found for name, image in images.items() if (found := _of(image, kind)) is not None}
        typer.echo(f"\n{kind}, radius {radius}: {len(listed)} pictures")
        typer.echo(f"{'copy':<22}{'median':>8}{'90 %':>8}{'largest':>9}{'beyond':>8}")
        for label, (change, quality) in COPIES.items():
            row = [_distance(listed[name], _of_small(images[name], change, quality, kind)) for name in listed]
            beyond = sum(bits > radius for bits in row)
            typer.echo(f"{label:<22}{np.median(row):>8.0f}{np.percentile(row, 90):>8.0f}{max(row):>9}{beyond:>8}")
        others = [_distance(one, other) for one, other in combinations(listed.values(), 2)]
        typer.echo(
            f"{len(others)} pairs of others: mean {np.mean(others):.0f}, deviation {np.std(others):.1f}, "
            f"least {min(others)}"
        )


def _load(name: str) -> Image.Image:
    return Image.open(BytesIO((files("skimage") / "data" / name).read_bytes())).convert("RGB")


def _of(image: Image.Image, kind: str) -> int | None:
    """The hash as a number; None if the picture shows too little."""
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return _hash(Picture.from_bytes(buffer.getvalue()), kind)


def _of_small(image: Image.Image, change: Callable[[Image.Image], Image.Image], quality: int, kind: str) -> int | None:
    buffer = BytesIO()
    change(image).save(buffer, "JPEG", quality=quality)
    return _hash(Picture.from_bytes(derivative(Picture.from_bytes(buffer.getvalue()))), kind)


def _hash(picture: Picture, kind: str) -> int | None:
    try:
        return int.from_bytes(second_hash(picture, kind).digest)
    except PictureError:
        return None


def _distance(one: int, other: int | None) -> int:
    """Bits; all of them if there is no hash to compare."""
    return 256 if other is None else (one ^ other).bit_count()
