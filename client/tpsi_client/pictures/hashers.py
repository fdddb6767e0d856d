"""The hash types that a device can compute, each behind one small interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from PIL import Image

from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi_client.pictures.coefficients import Coefficients
from tpsi_client.pictures.errors import unusable
from tpsi_client.pictures.pdq import pdq_coefficients
from tpsi_client.pictures.phash import phash_coefficients
from tpsi_client.pictures.picture import Picture


class Hasher(Protocol):
    """Computes one type of hash."""

    @property
    def type(self) -> str:
        """The label of an ItemHash of this type."""

    def hash(self, picture: Picture) -> ItemHash:
        """The picture's hash. Raises PictureError if it has none of this type."""


@dataclass(frozen=True, slots=True)
class FileHasher:
    """A digest of the file's bytes, for any file; `type` is also the name that hashlib knows it by."""

    type: str

    def hash(self, picture: Picture) -> ItemHash:
        """The digest of the file as it is. Raises PictureError if the file can't be read."""
        return ItemHash(self.type, picture.file_digest(self.type))


@dataclass(frozen=True, slots=True)
class PerceptualHasher:
    """A hash of what the picture shows, which copies in other encodings share in all or most bits.

    Pictures of a quality below `min_quality` have no hash: plain areas, simple gradients and the like all
    come out alike, so that one such hash on a list would match a multitude of innocent pictures.
    """

    type: str
    transform: Callable[[Image.Image], Coefficients]
    min_quality: int

    def coefficients(self, picture: Picture) -> Coefficients:
        """What the bits are made from. Raises PictureError: not decodable, or of too low a quality."""
        coefficients = self.transform(picture.image)
        if coefficients.quality < self.min_quality:
            raise unusable(
                picture.name,
                f"shows too little for a {self.type} hash to tell it from other pictures "
                f"(quality {coefficients.quality}, at least {self.min_quality} is needed)",
            )
        return coefficients

    def hash(self, picture: Picture) -> ItemHash:
        """The bits. Raises PictureError like `coefficients`."""
        return ItemHash(self.type, self.coefficients(picture).digest())


_FILE_HASHERS = (FileHasher("md5"), FileHasher("sha1"), FileHasher("sha256"), FileHasher("sha512"))
_PERCEPTUAL_HASHERS = (
    # PDQ's own guidance: hashes of a quality below 50 are not to be shared or matched.
    PerceptualHasher("pdq", pdq_coefficients, min_quality=50),
    # 16 of 64 coefficients: more than a picture that varies in one direction only can have.
    PerceptualHasher("phash", phash_coefficients, min_quality=25),
)

#: Every hasher by its type.
HASHERS: Mapping[str, Hasher] = MappingProxyType(
    {hasher.type: hasher for hasher in (*_FILE_HASHERS, *_PERCEPTUAL_HASHERS)}
)


def hasher(type: str) -> Hasher:  # noqa: A002
    """The hasher of a type. Raises CallerError, naming the known types, if there is none."""
    found = HASHERS.get(type)
    if found is None:
        raise CallerError(f"no way to compute {type!r} hashes here; known are {', '.join(sorted(HASHERS))}")
    return found
