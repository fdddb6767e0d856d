"""The DCT hashes are those of the specification, computed here a second time, step by step."""

import json
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.pictures.files import encode, photograph
from tests.pictures.recipes import draw, picture
from tpsi.pictures import DCT_BITS, PictureError, hasher
from tpsi.pictures.dct import dct_coefficients, lanczos_luma, zigzag
from tpsi.pictures.picture import Picture

DOCUMENT = json.loads((Path(__file__).parents[1] / "vectors" / "dct.json").read_text())
VECTORS: list[dict[str, Any]] = DOCUMENT["vectors"]
SAMPLES = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "page", "rocket", "text")


def reduced(samples: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Section 14.2's Lanczos reduction along the first axis, in whole numbers."""
    length = len(samples)
    scale = length / size
    stretch = max(scale, 1.0)
    rows: list[NDArray[np.int64]] = []
    for place in range(size):
        centre = (place + 0.5) * scale
        first = max(0, int(centre - 3 * stretch + 0.5))
        last = min(length, int(centre + 3 * stretch + 0.5))
        weights = [_lanczos((position - centre + 0.5) / stretch) for position in range(first, last)]
        shares = [weight / sum(weights) * 2**22 for weight in weights]
        fixed = np.array([int(share + math.copysign(0.5, share)) for share in shares])
        total = np.tensordot(fixed, samples[first:last], axes=1) + 2**21
        rows.append(np.clip(total >> 22, 0, 255))
    return np.array(rows)


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / 3) if -3 <= x < 3 else 0.0


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(x * math.pi) / (x * math.pi)


def luma(image: Image.Image) -> NDArray[np.int64]:
    """Section 14.2's luma."""
    red, green, blue = np.moveaxis(np.asarray(image, np.int64), 2, 0)
    weighted: NDArray[np.int64] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    return weighted


def spelled_out(image: Image.Image, bits: int) -> bytes:
    """Section 14.2 from pixels to digest, with sums in plain loops."""
    small = reduced(reduced(luma(image).T, 48).T, 48).tolist()
    values = []
    for row, column in zigzag(bits):
        down = [2 * math.cos(math.pi * row * (2 * y + 1) / 96) for y in range(48)]
        across = [2 * math.cos(math.pi * column * (2 * x + 1) / 96) for x in range(48)]
        total = math.fsum(small[y][x] * down[y] * across[x] for y in range(48) for x in range(48))
        values.append(round(total * 65536))
    ordered = sorted(values)
    median = ordered[bits // 2 - 1] + ordered[bits // 2]
    text = "".join("1" if 2 * value > median else "0" for value in values)
    return int(text.ljust(-(-bits // 8) * 8, "0"), 2).to_bytes(-(-bits // 8))


@pytest.mark.parametrize("name", SAMPLES)
def test_hash_is_the_specifications(name: str) -> None:
    image = photograph(name)
    assert np.array_equal(lanczos_luma(image, 48), reduced(reduced(luma(image).T, 48).T, 48))
    for bits in DCT_BITS if name == "coffee" else (80,):
        assert dct_coefficients(image, bits).digest() == spelled_out(image, bits)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (47, 49), (48, 48), (100, 75), (1030, 20)])
def test_reduction_is_the_specifications_for_every_shape(size: tuple[int, int]) -> None:
    image = picture("noise", 5, *size)
    assert np.array_equal(lanczos_luma(image, 48), reduced(reduced(luma(image).T, 48).T, 48))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}-{vector['width']}x{vector['height']}")
def test_vectors(vector: dict[str, Any]) -> None:
    pixels = draw(vector["kind"], vector["seed"], vector["width"], vector["height"])
    assert sha256(pixels.tobytes()).hexdigest() == vector["pixels_sha256"]
    for bits in DCT_BITS:
        coefficients = dct_coefficients(Image.fromarray(pixels), bits)
        assert coefficients.quality == vector[f"dct{bits}"]["quality"]
        assert coefficients.digest().hex() == vector[f"dct{bits}"]["hash"]
    holder = Picture("drawn.png", b"")
    holder.__dict__["image"] = Image.fromarray(pixels)
    if "probes" in vector:
        assert [probe.digest.hex() for probe in hasher("dct80").probes(holder, 16)] == vector["probes"]


def test_vectors_hold_pictures_with_and_without_a_hash() -> None:
    qualities = {vector["dct80"]["quality"] >= 75 for vector in VECTORS}
    assert qualities == {True, False}


def test_zigzag_begins_as_in_jpeg() -> None:
    assert zigzag(9) == ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))
    assert zigzag(77)[-1] == (11, 0)
    assert len(set(zigzag(128))) == 128


def test_phash_is_still_imagehashes() -> None:
    image = photograph("coffee")
    assert hasher("phash").hash(Picture.from_bytes(encode(image, "PNG"))).digest.hex() == str(imagehash.phash(image))


@pytest.mark.parametrize("bits", DCT_BITS)
@pytest.mark.parametrize("kind", ["flat", "ramp"])
def test_blank_pictures_and_ramps_have_no_hash(kind: str, bits: int) -> None:
    data = encode(picture(kind, 3, 200, 150), "PNG")
    with pytest.raises(PictureError, match=rf"shows too little for a dct{bits} hash"):
        hasher(f"dct{bits}").hash(Picture.from_bytes(data))


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_near_blank_pictures_have_no_hash(noise: float) -> None:
    """A grey wall with the noise of a camera, a speck of dust, a JPEG's rounding: nothing to tell it by."""
    random = np.random.default_rng(1)
    wall = 128 + random.normal(0, noise, (600, 800))
    wall[300:303, 400:403] = 100
    image = Image.fromarray(wall.clip(0, 255).astype(np.uint8)).convert("RGB")
    for data in (encode(image, "PNG"), encode(image, "JPEG", quality=60)):
        with pytest.raises(PictureError, match="shows too little"):
            hasher("dct80").hash(Picture.from_bytes(data))


def test_a_half_and_half_picture_has_no_hash() -> None:
    """One edge: the coefficients that do not vanish follow from its place alone."""
    image = Image.new("RGB", (300, 200), "black")
    image.paste("white", (140, 0, 300, 200))
    with pytest.raises(PictureError, match="shows too little"):
        hasher("dct80").hash(Picture.from_bytes(encode(image, "PNG")))


@pytest.mark.parametrize("label", ["dct80", "phash"])
def test_hash_is_that_of_the_upright_picture(label: str) -> None:
    """A phone that turns the pixels, and one that writes down how it was held, give the same hash."""
    upright = photograph("chelsea")
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encode(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    found = hasher(label)
    assert found.hash(Picture.from_bytes(stored)) == found.hash(Picture.from_bytes(encode(upright, "PNG")))
