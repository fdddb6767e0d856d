"""The 64-bit DCT hash `phash`, the one that the imagehash library computes by default."""

from typing import TYPE_CHECKING

import numpy as np

from tpsi.pictures.coefficients import Coefficients
from tpsi.pictures.dct import low_frequencies

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 32  # the picture is reduced to 32 x 32 grey pixels
_KEPT = 8  # of which the 8 x 8 lowest frequencies count


def phash_coefficients(image: "Image.Image") -> Coefficients:
    """The 64 low-frequency DCT-II coefficients of an RGB picture, row by row; threshold: their median.

    Grey by ITU-R 601-2, reduced by Pillow's Lanczos filter in one call, as imagehash does. Quality: percentage of
    coefficients that differ from the median; a plain area has at most 1, a picture that varies in one direction at
    most 12.
    """
    from PIL import Image

    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    values = low_frequencies(np.asarray(grey, dtype=np.float64), _KEPT).ravel()
    threshold = float(np.median(values))
    return Coefficients(values, threshold, int(np.count_nonzero(values != threshold)) * 100 // values.size)
