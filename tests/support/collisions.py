"""Adversarial pictures: one that looks like itself and has the DCT hash of another."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.pictures.files import encode
from tpsi import ItemHash
from tpsi.pictures import Picture, hasher
from tpsi.pictures.dct import lanczos_luma, low_frequencies, zigzag

Reals = NDArray[np.float64]

_SIDE = 48
_BITS = 80


def collide(image: Image.Image, target: ItemHash, *, margin: float = 150.0, rounds: int = 12) -> bytes:
    """A JPEG of the picture with its lowest frequencies bent until its `dct80` hash is the target's.

    What anybody can do who knows the listed hash: each coefficient whose bit is wrong is moved past the median.
    """
    bits = np.unpackbits(np.frombuffer(target.digest, np.uint8)).astype(bool)
    pixels = np.asarray(image.convert("L"), np.float64) * 0.6 + 50  # room for what is added
    for _ in range(rounds):
        data = encode(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert("RGB"), "JPEG", quality=90)
        picture = Picture.from_bytes(data)
        if hasher(target.type).hash(picture) == target:
            return data
        pixels += _bend(lanczos_luma(picture.image, _SIDE), bits, pixels.shape, margin)
    raise AssertionError("no collision was found: raise the margin")


def _bend(luma: Reals, bits: Reals, shape: tuple[int, ...], margin: float) -> Reals:
    places = zigzag(_BITS)
    kept = max(max(place) for place in places) + 1
    spectrum = low_frequencies(luma, kept)
    change = np.zeros_like(spectrum)
    for (row, column), bit in zip(places, bits, strict=True):
        value = spectrum[row, column]
        change[row, column] = (max(value, margin) if bit else min(value, -margin)) - value
    down, across = (_cosines(length, kept) for length in shape)
    bent: Reals = down.T @ change @ across / _SIDE**2
    return bent


def _cosines(length: int, kept: int) -> Reals:
    angles = math.pi / (2 * length) * np.outer(np.arange(kept), 2 * np.arange(length) + 1)
    found: Reals = np.cos(angles)
    found[0] /= 2
    return found
