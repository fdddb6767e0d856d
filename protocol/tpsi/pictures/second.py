"""The second hash: of another family than the one that matched, compared with a radius (specification, section 13.1).

Whoever knows a listed hash can make a picture that has it. To collide in a second one at the same time, which never
leaves the server, is another matter. It is computed of a listed picture once, and of the small picture in a voucher
after a reveal; the two differ in size and encoding, so that PDQ as it stands differs in 20 of its 256 bits (median).
`pdq64` fixes the size first: 4 bits.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi.pictures.coefficients import Coefficients
from tpsi.pictures.dct import lanczos_luma
from tpsi.pictures.hashers import PerceptualHasher, hasher
from tpsi.pictures.pdq import coefficients_of
from tpsi.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 64


def pdq64_coefficients(image: "Image.Image") -> Coefficients:
    """PDQ's coefficients of the picture reduced to 64 x 64 by the resampler of the DCT hashes, whatever its size."""
    return coefficients_of(lanczos_luma(image, _SIDE).astype(np.float32))


#: The type that listed pictures get.
SECOND = "pdq64"
_HASHERS: Mapping[str, Callable[[Picture], ItemHash]] = MappingProxyType(
    {
        SECOND: PerceptualHasher(SECOND, pdq64_coefficients, min_quality=50).hash,
        "pdq": hasher("pdq").hash,  # lists that others make have it
    }
)
#: Bits in which the small picture of a copy may differ from the listed one. Two pictures that have nothing to do with
#: each other differ in 127 of 256, with a standard deviation of 8 (`python bench second`).
RADII: Mapping[str, int] = MappingProxyType({SECOND: 40, "pdq": 64})


def second_hash(picture: Picture, type: str = SECOND) -> ItemHash:  # noqa: A002
    """A picture's second hash. Raises PictureError if it has none, CallerError for an unknown type."""
    if type not in _HASHERS:
        raise CallerError(f"a second hash is of the type {' or '.join(_HASHERS)}, not {type}")
    return _HASHERS[type](picture)
