"""The 256-bit hash PDQ in numpy: bit for bit what the reference implementation makes of the same pixels.

The reference works in single precision with running sums, so its result depends on the order of every
addition. This module does the same operations in the same order, many rows or columns at a time. It works
on the picture at full size, as the reference's Python binding does: reducing it first would be faster, but
would change some bits of nearly every hash, and here hashes are compared for equality.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tpsi.pictures.coefficients import Coefficients

if TYPE_CHECKING:
    from PIL import Image

Floats = NDArray[np.float32]

_SIDE = 64  # the picture is reduced to 64 x 64 luma values
_KEPT = 16  # of whose DCT the frequencies 1 to 16 count, in both directions
_MIN_DIMENSION = 5  # smaller pictures have no hash: the reference gives zeros, of quality 0
_BLOCK = 2048  # rows or columns that a filter runs over at a time: enough to vectorise, few enough to hold
_STRIP = 64  # rows whose luma is computed at a time: their temporaries stay in the cache


def pdq_coefficients(image: "Image.Image") -> Coefficients:
    """The 256 DCT coefficients of an RGB picture, in digest order; threshold: their lower median.

    Quality is the reference's: the sum of the steps between neighbours in the 64 x 64 reduction, scaled.
    """
    if min(image.size) < _MIN_DIMENSION:
        return Coefficients(np.zeros(_KEPT * _KEPT, np.float32), 0.0, 0)
    return coefficients_of(_reduce(image))


def coefficients_of(reduced: Floats) -> Coefficients:
    """The coefficients of a picture that is reduced already, luma of shape (64, 64)."""
    values = _spectrum(reduced).ravel()[::-1]
    threshold = np.partition(values, values.size // 2 - 1)[values.size // 2 - 1]
    return Coefficients(values, float(threshold), _quality(reduced))


def luma(image: "Image.Image", top: int, bottom: int) -> Floats:
    """Luma of the rows from `top` to before `bottom` of an RGB picture, shape (rows, width).

    One correctly rounded division of an exact integer. For all 2^24 colours that equals the reference's
    0.299 R + 0.587 G + 0.114 B in double precision, rounded to single.
    """
    result = np.empty((bottom - top, image.width), np.float32)
    for rows in _blocks(bottom - top, _STRIP):
        strip = image.crop((0, top + rows.start, image.width, top + rows.stop)).tobytes("raw", "RGBX")
        pixels = np.frombuffer(strip, dtype="<u4").reshape(-1, image.width)
        weighted = (pixels & 255) * np.uint32(299)
        weighted += (pixels >> 8 & 255) * np.uint32(587)
        weighted += (pixels >> 16 & 255) * np.uint32(114)
        np.divide(weighted.astype(np.float32), np.float32(1000), out=result[rows])
    return result


def _reduce(image: "Image.Image") -> Floats:
    """Blur twice with a box along both axes (together a tent) and take 64 x 64 samples."""
    width, height = image.size
    if width == height == _SIDE:
        return luma(image, 0, _SIDE)
    across, down = _box_size(width), _box_size(height)
    blurred = np.empty((height, width), np.float32)
    for rows in _blocks(height):
        strip = np.ascontiguousarray(luma(image, rows.start, rows.stop).T)
        blurred[rows] = _box_filter(strip, across, np.arange(width)).T
    for columns in _blocks(width):
        blurred[:, columns] = _box_filter(blurred[:, columns], down, np.arange(height))
    # From here on only 64 columns, then 64 rows, are ever looked at.
    sampled = np.empty((height, _SIDE), np.float32)
    for rows in _blocks(height):
        strip = np.ascontiguousarray(blurred[rows].T)
        sampled[rows] = _box_filter(strip, across, _samples(width)).T
    return _box_filter(sampled, down, _samples(height))


def _blocks(size: int, step: int = _BLOCK) -> Iterator[slice]:
    return (slice(start, min(start + step, size)) for start in range(0, size, step))


def _box_size(dimension: int) -> int:
    """Half of what one of the 64 samples stands for, rounded up: two passes make a whole."""
    return -(-dimension // (2 * _SIDE))


def _samples(dimension: int) -> NDArray[np.intp]:
    """Indices of the centres of 64 equal parts of an axis."""
    return ((np.arange(_SIDE) + 0.5) * dimension / _SIDE).astype(np.intp)


def _box_filter(values: Floats, window: int, wanted: NDArray[np.intp]) -> Floats:
    """Moving averages down the first axis, at the positions `wanted` (ascending), shape (wanted, columns).

    The average at position p is over the rows from p - behind to p + ahead that exist.
    """
    ahead = window // 2
    behind = window - ahead - 1
    averages = np.empty((len(wanted), values.shape[1]), np.float32)
    places = wanted.tolist()
    filled = 0
    for position, total in enumerate(_running_sums(list(values), ahead, behind)):
        while filled < len(places) and places[filled] == position:
            averages[filled] = total
            filled += 1
    sizes = np.minimum(wanted + ahead, len(values) - 1) - np.maximum(wanted - behind, 0) + 1
    averages /= sizes.astype(np.float32)[:, None]
    return averages


def _running_sums(rows: list[Floats], ahead: int, behind: int) -> Iterator[Floats]:
    """Sums of the rows p - behind to p + ahead for p = 0, 1, …: one buffer, changed by each step.

    From one to the next the row that enters is added first, then the row that leaves is taken off.
    """
    window = behind + 1 + ahead
    total = np.zeros_like(rows[0])
    for row in rows[:ahead]:
        np.add(total, row, total)
    for row in rows[ahead:window]:
        yield np.add(total, row, total)
    for row, gone in zip(rows[window:], rows, strict=False):
        np.add(total, row, total)
        yield np.subtract(total, gone, total)
    for gone in rows[len(rows) - window :][:ahead]:
        yield np.subtract(total, gone, total)


_SCALE = float(np.float32(math.sqrt(2.0 / _SIDE)))
_BASIS: Floats = np.array(
    [[_SCALE * math.cos(math.pi / 2.0 / _SIDE * (i + 1) * (2 * j + 1)) for j in range(_SIDE)] for i in range(_KEPT)],
    dtype=np.float32,
)


def _spectrum(reduced: Floats) -> Floats:
    """Frequencies 1 to 16 of the two-dimensional DCT, shape (16, 16): summed term by term, in order."""
    half = np.zeros((_KEPT, _SIDE), np.float32)
    for k in range(_SIDE):
        half += _BASIS[:, k, None] * reduced[k]
    full = np.zeros((_KEPT, _KEPT), np.float32)
    for k in range(_SIDE):
        full += half[:, k, None] * _BASIS[:, k]
    return full


def _quality(reduced: Floats) -> int:
    total = 0
    for step in (np.diff(reduced, axis=0), np.diff(reduced, axis=1)):
        percent = step * np.float32(100) / np.float32(255)
        total += int(np.abs(percent.astype(np.int32)).sum())
    return min(total // 90, 100)
