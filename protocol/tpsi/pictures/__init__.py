"""Pictures, as device and list side share them: reading them safely, hashing them with probes, small derivatives.

Decoding needs Pillow (`pip install 'tpsi[pictures]'`), which is loaded when a picture is first decoded.
"""

from tpsi.pictures.coefficients import Coefficients
from tpsi.pictures.dct import DCT_BITS
from tpsi.pictures.derivative import DERIVATIVE_BYTES, derivative
from tpsi.pictures.errors import ExtraMissingError, PictureError
from tpsi.pictures.hashers import HASHERS, PERCEPTUAL, FileHasher, Hasher, PerceptualHasher, hasher
from tpsi.pictures.limits import Limits
from tpsi.pictures.picture import Picture
from tpsi.pictures.probes import flips, probes, reach
from tpsi.pictures.scan import scan
from tpsi.pictures.second import RADII, SECOND, second_hash
from tpsi.pictures.selfcheck import Mismatch, check_hashers
from tpsi.pictures.separation import dropped, neighbours
from tpsi.pictures.video import VideoLimits, is_video, scenes

__all__ = [
    "DCT_BITS",
    "DERIVATIVE_BYTES",
    "HASHERS",
    "PERCEPTUAL",
    "RADII",
    "SECOND",
    "Coefficients",
    "ExtraMissingError",
    "FileHasher",
    "Hasher",
    "Limits",
    "Mismatch",
    "PerceptualHasher",
    "Picture",
    "PictureError",
    "VideoLimits",
    "check_hashers",
    "derivative",
    "dropped",
    "flips",
    "hasher",
    "is_video",
    "neighbours",
    "probes",
    "reach",
    "scan",
    "scenes",
    "second_hash",
]
