"""The 64-bit DCT hash `phash`, the one that the imagehash library computes by default."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tpsi_client.pictures.coefficients import Coefficients

_SIDE = 32  # the picture is reduced to 32 x 32 grey pixels
_KEPT = 8  # of which the 8 x 8 lowest frequencies count

#: Coefficients are rounded to multiples of 1/_GRAIN. They reach a million, and sums done in another order
#: differ by about 1e-10: without rounding, those that are zero by symmetry would give accidental bits.
_GRAIN = 65536.0

_BASIS: NDArray[np.float64] = np.array(
    [[2.0 * math.cos(math.pi * k * (2 * x + 1) / (2 * _SIDE)) for x in range(_SIDE)] for k in range(_KEPT)]
)


def phash_coefficients(image: Image.Image) -> Coefficients:
    """The 64 low-frequency DCT-II coefficients of an RGB picture, row by row; threshold: their median.

    Grey by ITU-R 601-2, reduced by Pillow's Lanczos filter. Quality: percentage of coefficients that
    differ from the median; a plain area has at most 1, a picture that varies in one direction at most 12.
    """
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    spectrum = _BASIS @ np.asarray(grey, dtype=np.float64) @ _BASIS.T
    values = np.rint(spectrum.ravel() * _GRAIN) / _GRAIN
    threshold = float(np.median(values))
    return Coefficients(values, threshold, int(np.count_nonzero(values != threshold)) * 100 // values.size)
