"""The derivative always fits, shows the picture, and carries nothing else."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.pictures.files import encode, photograph
from tests.pictures.recipes import picture
from tpsi.errors import CallerError
from tpsi.pictures import DERIVATIVE_BYTES, Picture, PictureError, derivative


def reopened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=["JPEG"])


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_photographs_fit_at_a_useful_size(name: str) -> None:
    image = photograph(name)
    data = derivative(Picture.from_bytes(encode(image, "PNG")))
    small = reopened(data)
    assert len(data) <= DERIVATIVE_BYTES
    assert max(small.size) >= 128
    again = np.asarray(small.resize((16, 16)), np.int64)
    assert np.abs(again - np.asarray(image.resize((16, 16)), np.int64)).mean() < 12


@pytest.mark.parametrize("max_bytes", [700, 1000, 2000, 4000, 20000])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (300, 200), (1200, 900)])
def test_always_fits_and_is_never_enlarged(max_bytes: int, size: tuple[int, int]) -> None:
    data = derivative(Picture.from_bytes(encode(picture("noise", 5, *size), "PNG")), max_bytes)
    assert len(data) <= max_bytes
    width, height = reopened(data).size
    assert 1 <= width <= min(size[0], 200)
    assert 1 <= height <= min(size[1], 200)


def test_metadata_are_stripped_and_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "SECRET PLACE"
    data = encode(
        picture("smooth", 6, 300, 200),
        "JPEG",
        exif=exif,
        comment=b"SECRET COMMENT",
        icc_profile=b"SECRET PROFILE" * 20,
        xmp=b"<x>SECRET XMP</x>",
    )
    small = derivative(Picture.from_bytes(data))
    assert b"SECRET" in data
    assert b"SECRET" not in small
    assert b"Exif" not in small
    assert reopened(small).size == (133, 200)


def test_same_picture_gives_the_same_bytes() -> None:
    data = encode(picture("smooth", 8, 640, 480), "PNG")
    assert derivative(Picture.from_bytes(data)) == derivative(Picture.from_bytes(data))


def test_budget_that_nothing_fits_in_is_the_callers_mistake() -> None:
    with pytest.raises(CallerError, match=r"no derivative fits in 100 bytes; allow at least \d{3}"):
        derivative(Picture.from_bytes(encode(picture("noise", 9, 64, 64), "PNG")), 100)


def test_file_that_is_no_picture_has_no_derivative() -> None:
    with pytest.raises(PictureError):
        derivative(Picture.from_bytes(b"no picture"))
