"""Pictures on the device: reading them safely, hashing them, and making derivatives for a reviewer."""

from tpsi_client.pictures.coefficients import Coefficients
from tpsi_client.pictures.decode import Limits
from tpsi_client.pictures.derivative import DERIVATIVE_BYTES, derivative
from tpsi_client.pictures.errors import PictureError
from tpsi_client.pictures.hashers import HASHERS, FileHasher, Hasher, PerceptualHasher, hasher
from tpsi_client.pictures.picture import Picture
from tpsi_client.pictures.scan import scan
from tpsi_client.pictures.selfcheck import Mismatch, check_hashers

__all__ = [
    "DERIVATIVE_BYTES",
    "HASHERS",
    "Coefficients",
    "FileHasher",
    "Hasher",
    "Limits",
    "Mismatch",
    "PerceptualHasher",
    "Picture",
    "PictureError",
    "check_hashers",
    "derivative",
    "hasher",
    "scan",
]
