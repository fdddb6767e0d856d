"""phash agrees with imagehash bit for bit."""

import imagehash
import numpy as np
import pytest
from PIL import Image

from tests.pictures.files import photograph
from tests.pictures.recipes import KINDS, picture
from tpsi.pictures import PictureError
from tpsi.pictures.hashers import hasher
from tpsi.pictures.phash import phash_coefficients
from tpsi.pictures.picture import Picture

#: Those that come with scikit-image itself.
SAMPLES = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "page", "rocket", "text")
SIZES = ((1, 1), (3, 200), (31, 33), (32, 32), (100, 75), (640, 480), (1030, 20))


@pytest.mark.parametrize("name", SAMPLES)
def test_agrees_with_imagehash_on_photographs(name: str) -> None:
    image = photograph(name)
    assert phash_coefficients(image).digest().hex() == str(imagehash.phash(image))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"ramp"}))
@pytest.mark.parametrize("size", SIZES)
def test_agrees_with_imagehash_on_drawn_pictures(kind: str, size: tuple[int, int]) -> None:
    for seed in range(10):
        image = picture(kind, seed, *size)
        assert phash_coefficients(image).digest().hex() == str(imagehash.phash(image))


def test_coefficients_that_are_zero_by_symmetry_are_exactly_zero() -> None:
    """Where a picture is symmetric, rounding noise of the machine must not choose the bits."""
    left = np.asarray(picture("smooth", 7, 40, 90))
    symmetric = Image.fromarray(np.concatenate([left, left[:, ::-1]], axis=1))
    values = phash_coefficients(symmetric).values.reshape(8, 8)
    assert not values[:, 1::2].any()
    assert values[:, ::2].all()


@pytest.mark.parametrize("kind", ["flat", "ramp"])
def test_picture_that_shows_too_little_has_no_phash(kind: str) -> None:
    """Else one hash on a list would match every plain area, or every gradient, there is."""
    image = picture(kind, 3, 200, 150)
    assert phash_coefficients(image).quality <= 12
    holder = Picture("plain.png", b"")
    holder.__dict__["image"] = image
    with pytest.raises(PictureError, match=r"plain\.png: shows too little for a phash hash"):
        hasher("phash").hash(holder)
