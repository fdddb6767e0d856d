"""Pictures drawn by integer arithmetic, so that a recipe stands for the same pixels everywhere."""

from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_LATTICE = 9  # random colours along each axis of a smooth picture


def draw(kind: str, seed: int, width: int, height: int) -> Pixels:
    """Pixels of a recipe, shape (height, width, 3). `kind` is a key of KINDS."""
    return KINDS[kind](seed, width, height)


def picture(kind: str, seed: int, width: int, height: int) -> Image.Image:
    """The same as an image of mode RGB."""
    return Image.fromarray(draw(kind, seed, width, height))


def _random(seed: int, *shape: int) -> Pixels:
    octets = shake_256(b"test picture %d" % seed).digest(int(np.prod(shape)))
    return np.frombuffer(octets, np.uint8).reshape(shape)


def _noise(seed: int, width: int, height: int) -> Pixels:
    return _random(seed, height, width, 3)


def _smooth(seed: int, width: int, height: int) -> Pixels:
    colours = _random(seed, _LATTICE + 1, _LATTICE + 1, 3).astype(np.int64)
    rows, columns = (np.arange(size) * (_LATTICE - 1) * 256 // size for size in (height, width))
    top, below = (rows >> 8)[:, None], (rows & 255)[:, None, None]
    left, beyond = (columns >> 8)[None, :], (columns & 255)[None, :, None]
    near = colours[top, left] * (256 - below) + colours[top + 1, left] * below
    far = colours[top, left + 1] * (256 - below) + colours[top + 1, left + 1] * below
    blended: Pixels = ((near * (256 - beyond) + far * beyond) >> 16).astype(np.uint8)
    return blended


def _dots(seed: int, width: int, height: int) -> Pixels:
    dark = _random(seed, height, width, 1) > 8
    return np.repeat(dark * np.uint8(255), 3, axis=2)


def _stripes(seed: int, width: int, height: int) -> Pixels:
    across, down, *colour = (int(value) % 7 + 1 for value in _random(seed, 5))
    slope = np.arange(width) * across + np.arange(height)[:, None] * down
    pixels: Pixels = (slope[:, :, None] * np.array(colour) % 256).astype(np.uint8)
    return pixels


def _ramp(seed: int, width: int, height: int) -> Pixels:
    """From dark to light, left to right: nothing changes downwards."""
    line = (np.arange(width) * 255 // max(1, width - 1) ^ seed % 2).astype(np.uint8)
    return np.broadcast_to(line[None, :, None], (height, width, 3)).copy()


def _flat(seed: int, width: int, height: int) -> Pixels:
    return np.broadcast_to(_random(seed, 3), (height, width, 3)).copy()


KINDS = {
    "dots": _dots,
    "flat": _flat,
    "noise": _noise,
    "ramp": _ramp,
    "smooth": _smooth,
    "stripes": _stripes,
}
