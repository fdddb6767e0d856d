"""Luma of a small square, and its lowest frequencies: what the DCT hashes are made from (specification, section 14)."""

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tpsi.pictures.coefficients import Coefficients

if TYPE_CHECKING:
    from PIL import Image

Reals = NDArray[np.float64]

#: Sizes of the hashes `dct64`, `dct80`, …, in bits.
DCT_BITS = (64, 80, 100, 128)

#: Coefficients are rounded to multiples of 1/GRAIN. They reach a million, and sums done in another order
#: differ by about 1e-10: without rounding, those that are zero by symmetry would give accidental bits.
GRAIN = 65536.0

_SIDE = 48  # the picture is reduced to 48 x 48 luma values

#: A coefficient this far from the median tells something: noise of half a grey level in every one of the 48 x 48
#: values moves a coefficient by 48 (one standard deviation).
_CLEAR = 48.0


def dct_coefficients(image: "Image.Image", bits: int) -> Coefficients:
    """The `bits` lowest frequencies but the constant one, in zigzag order; threshold: their median.

    Quality: the percentage of coefficients that stand clear of the median; 0 if not exactly half of them are
    above it, as then no copy's hash could be reached by balanced flips.
    """
    lowest = zigzag(bits)
    kept = max(max(place) for place in lowest) + 1
    spectrum = low_frequencies(lanczos_luma(image, _SIDE), kept)
    values = spectrum[tuple(np.array(lowest).T)]
    threshold = float(np.median(values))
    balanced = 2 * np.count_nonzero(values > threshold) == values.size
    clear = np.count_nonzero(np.abs(values - threshold) >= _CLEAR)
    return Coefficients(values, threshold, int(clear) * 100 // values.size if balanced else 0)


def lanczos_luma(image: "Image.Image", side: int) -> Reals:
    """Luma by ITU-R 601-2 of an RGB picture, reduced to side x side by Pillow's Lanczos filter.

    First across, then down, in two steps: asked for both at once, versions of Pillow differ in the order for some
    shapes, and as each step rounds to whole numbers, the order shows.
    """
    from PIL import Image

    narrow = image.convert("L").resize((side, image.height), Image.Resampling.LANCZOS)
    return np.asarray(narrow.resize((side, side), Image.Resampling.LANCZOS), dtype=np.float64)


def low_frequencies(luma: Reals, kept: int) -> Reals:
    """DCT-II of a square, its kept x kept lowest frequencies, rounded; row: down the picture, column: across it."""
    basis = _basis(len(luma), kept)
    rounded: Reals = np.rint(basis @ luma @ basis.T * GRAIN) / GRAIN
    return rounded


@cache
def zigzag(count: int) -> tuple[tuple[int, int], ...]:
    """The `count` lowest frequencies (down, across) after (0, 0), in the order of JPEG's coefficients."""
    places: list[tuple[int, int]] = []
    diagonal = 0
    while len(places) < count:
        diagonal += 1
        downwards = [(row, diagonal - row) for row in range(diagonal + 1)]
        places += downwards if diagonal % 2 else downwards[::-1]
    return tuple(places[:count])


@cache
def _basis(side: int, kept: int) -> Reals:
    angles = [[math.pi * k * (2 * x + 1) / (2 * side) for x in range(side)] for k in range(kept)]
    return np.array([[2.0 * math.cos(angle) for angle in row] for row in angles])
