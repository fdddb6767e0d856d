"""PDQ agrees with the reference implementation bit for bit, including the numbers behind the bits."""

import json
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pictures.files import photograph
from tests.pictures.recipes import draw, picture
from tpsi.pictures.pdq import _BASIS, luma, pdq_coefficients

DOCUMENT = json.loads((Path(__file__).parents[1] / "vectors" / "pdq.json").read_text())
VECTORS: list[dict[str, Any]] = DOCUMENT["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}-{vector['width']}x{vector['height']}")
def test_hash_quality_and_coefficients_are_the_references(vector: dict[str, Any]) -> None:
    pixels = draw(vector["kind"], vector["seed"], vector["width"], vector["height"])
    assert sha256(pixels.tobytes()).hexdigest() == vector["pixels_sha256"]
    coefficients = pdq_coefficients(Image.fromarray(pixels))
    assert coefficients.digest().hex() == vector["pdq"]
    assert coefficients.quality == vector["quality"]
    if "coefficients_sha256" in vector:
        octets = coefficients.values.astype("<f4").tobytes()
        assert sha256(octets).hexdigest() == vector["coefficients_sha256"]


def test_vectors_cover_every_path_of_the_reference() -> None:
    sizes = {(vector["width"], vector["height"]) for vector in VECTORS}
    assert (64, 64) in sizes  # not filtered at all
    assert any(max(size) > 2048 for size in sizes)  # filtered in more than one block
    assert any(min(size) < 5 for size in sizes)  # refused
    assert any(0 < vector["quality"] < 100 for vector in VECTORS)


def test_luma_is_the_double_precision_sum_rounded_once() -> None:
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    for red in (*range(0, 256, 15), 1, 77, 254):
        pixels = np.stack([np.full_like(green, red), green, blue], axis=2)
        expected = (pixels[:, :, 0] * 0.299 + pixels[:, :, 1] * 0.587 + pixels[:, :, 2] * 0.114).astype("<f4")
        assert np.array_equal(luma(Image.fromarray(pixels), 0, 256), expected)


def test_bits_are_the_coefficients_above_the_lower_median() -> None:
    coefficients = pdq_coefficients(picture("smooth", 900, 300, 200))
    assert coefficients.values.shape == (256,)
    assert coefficients.threshold == sorted(coefficients.values.tolist())[127]
    number = int.from_bytes(coefficients.digest())
    for place, value in enumerate(coefficients.values):
        assert bool(number >> (255 - place) & 1) == (value > coefficients.threshold)


def test_a_flipped_bit_is_one_whose_coefficient_was_near_the_threshold() -> None:
    original = photograph("astronaut")
    coefficients = pdq_coefficients(original)
    copy = pdq_coefficients(original.resize((400, 400), Image.Resampling.BICUBIC))
    flipped = np.flatnonzero((coefficients.values > coefficients.threshold) != (copy.values > copy.threshold))
    margins = np.abs(coefficients.values - coefficients.threshold)
    assert 0 < len(flipped) < 16
    assert margins[flipped].max() < np.median(margins)


def test_known_bytes_of_the_dct_basis() -> None:
    """The basis comes from the platform's cosine; were one entry rounded otherwise, hashes would differ."""
    octets = struct.pack("<1024f", *_BASIS.ravel().tolist())
    assert sha256(octets).hexdigest() == "db354678fc6c99b7d442c35d8e89b002b71cb35eff6ae436c5f36392277a83c8"
