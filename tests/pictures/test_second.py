"""The second hash: copies stay near, others and crafted collisions of the first hash do not."""

from itertools import permutations

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from tests.pictures.files import encode, photograph
from tests.support.collisions import collide
from tpsi import CallerError
from tpsi.canary import CANARY_SECONDS, canary_picture
from tpsi.pictures import RADII, SECOND, Picture, PictureError, derivative, hasher, second_hash
from tpsi.pictures.dct import lanczos_luma
from tpsi.pictures.second import pdq64_coefficients

NAMES = ("astronaut", "coffee", "chelsea", "camera", "rocket", "retina")
COPIES = {
    "jpeg 30": lambda image: encode(image, "JPEG", quality=30),
    "webp": lambda image: encode(image, "WEBP", quality=60),
    "half": lambda image: encode(image.resize((image.width // 2, image.height // 2)), "JPEG"),
    "quarter": lambda image: encode(image.resize((image.width // 4, image.height // 4)), "JPEG"),
    "brighter": lambda image: encode(ImageEnhance.Brightness(image).enhance(1.2), "JPEG"),
    "blurred": lambda image: encode(image.filter(ImageFilter.GaussianBlur(1.5)), "JPEG"),
    "grey": lambda image: encode(image.convert("L").convert("RGB"), "JPEG"),
    "cropped by 1 %": lambda image: encode(image.crop((2, 2, image.width - 2, image.height - 2)), "JPEG"),
}


@pytest.fixture(scope="module")
def images() -> dict[str, Image.Image]:
    """Photographs."""
    return {name: photograph(name) for name in NAMES}


def of(image: Image.Image, kind: str = SECOND) -> bytes:
    return second_hash(Picture.from_bytes(encode(image, "PNG")), kind).digest


def of_derivative(data: bytes, kind: str = SECOND) -> bytes:
    """The second hash of what a reviewer sees of a file."""
    return second_hash(Picture.from_bytes(derivative(Picture.from_bytes(data))), kind).digest


@pytest.fixture(scope="module")
def listed(images: dict[str, Image.Image]) -> dict[str, bytes]:
    """The second hashes of the photographs."""
    return {name: of(image) for name, image in images.items()}


@pytest.fixture(scope="module")
def shown(images: dict[str, Image.Image]) -> dict[str, bytes]:
    """The second hashes of what a reviewer sees of the photographs."""
    return {name: of_derivative(encode(image, "PNG")) for name, image in images.items()}


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("copy", COPIES)
def test_the_small_picture_of_a_copy_is_near_the_listed_one(
    images: dict[str, Image.Image], listed: dict[str, bytes], copy: str
) -> None:
    for name, image in images.items():
        assert distance(listed[name], of_derivative(COPIES[copy](image))) <= RADII[SECOND] // 2, name


def test_plain_pdq_depends_on_the_size_and_needs_the_larger_radius(
    images: dict[str, Image.Image], listed: dict[str, bytes], shown: dict[str, bytes]
) -> None:
    plain = [distance(of(one, "pdq"), of_derivative(encode(one, "PNG"), "pdq")) for one in images.values()]
    fixed = [distance(listed[name], shown[name]) for name in NAMES]
    assert sum(plain) > 2 * sum(fixed)
    assert max(plain) <= RADII["pdq"]


def test_other_pictures_are_far(listed: dict[str, bytes], shown: dict[str, bytes]) -> None:
    for name, other in permutations(NAMES, 2):
        assert distance(listed[name], shown[other]) > 2 * RADII[SECOND]


@pytest.mark.parametrize(("mine", "target"), [("astronaut", "coffee"), ("chelsea", "rocket"), ("retina", "camera")])
def test_a_crafted_collision_of_the_first_hash_is_far_in_the_second(
    images: dict[str, Image.Image], listed: dict[str, bytes], mine: str, target: str
) -> None:
    wanted = hasher("dct80").hash(Picture.from_bytes(encode(images[target], "PNG")))
    crafted = collide(images[mine], wanted)
    assert hasher("dct80").hash(Picture.from_bytes(crafted)) == wanted
    seen = of_derivative(crafted)
    assert distance(listed[target], seen) > 2 * RADII[SECOND]
    assert distance(listed[mine], seen) <= RADII[SECOND]  # it still looks like itself


def test_it_is_pdq_of_the_picture_at_a_fixed_size(images: dict[str, Image.Image]) -> None:
    luma = lanczos_luma(images["astronaut"], 64)
    reduced = Image.fromarray(luma.astype(np.uint8)).convert("RGB")
    assert reduced.size == (64, 64)
    assert of(images["astronaut"]) == hasher("pdq").hash(Picture.from_bytes(encode(reduced, "PNG"))).digest
    assert pdq64_coefficients(reduced).digest() == of(images["astronaut"])


def test_a_picture_that_shows_nothing_has_none() -> None:
    with pytest.raises(PictureError, match="shows too little"):
        of(Image.new("RGB", (100, 100), "grey"))


def test_an_unknown_type_is_refused(images: dict[str, Image.Image]) -> None:
    with pytest.raises(CallerError, match="pdq64 or pdq, not md5"):
        of(images["astronaut"], "md5")


def test_the_canary_has_its_second_hashes() -> None:
    picture = Picture.from_bytes(canary_picture())
    assert {kind: second_hash(picture, kind).digest.hex() for kind in CANARY_SECONDS} == CANARY_SECONDS
