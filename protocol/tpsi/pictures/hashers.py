"""The hash types that can be computed of a picture, each behind one small interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi.pictures.coefficients import Coefficients
from tpsi.pictures.dct import DCT_BITS, dct_coefficients
from tpsi.pictures.errors import unusable
from tpsi.pictures.pdq import pdq_coefficients
from tpsi.pictures.phash import phash_coefficients
from tpsi.pictures.picture import Picture
from tpsi.pictures.probes import probes

if TYPE_CHECKING:
    from PIL import Image


class Hasher(Protocol):
    """Computes one type of hash."""

    @property
    def type(self) -> str:
        """The label of an ItemHash of this type."""

    @property
    def perceptual(self) -> bool:
        """Whether it is of what a picture shows, and not of the file's bytes."""

    def hash(self, picture: Picture) -> ItemHash:
        """The picture's hash. Raises PictureError if it has none of this type."""

    def probes(self, picture: Picture, count: int, *, mirrored: bool = False) -> tuple[ItemHash, ...]:
        """The picture's hash and then those that a copy of it likeliest has, `count` in all if there are as many.

        `mirrored`: of the picture as a mirror shows it. Raises PictureError like `hash`.
        """


@dataclass(frozen=True, slots=True)
class FileHasher:
    """A digest of the file's bytes, for any file; `type` is also the name that hashlib knows it by."""

    type: str
    perceptual: bool = False

    def hash(self, picture: Picture) -> ItemHash:
        """The digest of the file as it is. Raises PictureError if the file can't be read."""
        return ItemHash(self.type, picture.file_digest(self.type))

    def probes(self, picture: Picture, count: int, *, mirrored: bool = False) -> tuple[ItemHash, ...]:
        """The digest alone: another file's has nothing in common with it. Raises CallerError if `mirrored`."""
        if mirrored or count < 1:
            raise CallerError("a file's digest has one probe, and no mirror image")
        return (self.hash(picture),)


@dataclass(frozen=True, slots=True)
class PerceptualHasher:
    """A hash of what the picture shows, which copies in other encodings share in all or most bits.

    Pictures of a quality below `min_quality` have no hash: plain areas, simple gradients and the like all
    come out alike, so that one such hash on a list would match a multitude of innocent pictures.
    """

    type: str
    transform: Callable[["Image.Image"], Coefficients]
    min_quality: int
    perceptual: bool = True

    def coefficients(self, picture: Picture, *, mirrored: bool = False) -> Coefficients:
        """What the bits are made from. Raises PictureError: not decodable, or of too low a quality."""
        coefficients = self.transform(_mirror(picture.image) if mirrored else picture.image)
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

    def probes(self, picture: Picture, count: int, *, mirrored: bool = False) -> tuple[ItemHash, ...]:
        """The hash and its likeliest variants (specification, section 14.3). Raises PictureError."""
        coefficients = self.coefficients(picture, mirrored=mirrored)
        return tuple(ItemHash(self.type, digest) for digest in probes(coefficients, count))


def _mirror(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


_FILE_HASHERS = (FileHasher("md5"), FileHasher("sha1"), FileHasher("sha256"), FileHasher("sha512"))
_PERCEPTUAL_HASHERS = (
    # PDQ's own guidance: hashes of a quality below 50 are not to be shared or matched.
    PerceptualHasher("pdq", pdq_coefficients, min_quality=50),
    # 16 of 64 coefficients: more than a picture that varies in one direction only can have.
    PerceptualHasher("phash", phash_coefficients, min_quality=25),
    # Three quarters of the bits stand clear of noise.
    *(PerceptualHasher(f"dct{bits}", partial(dct_coefficients, bits=bits), min_quality=75) for bits in DCT_BITS),
)

_ALL: tuple[Hasher, ...] = (*_FILE_HASHERS, *_PERCEPTUAL_HASHERS)
#: Every hasher by its type.
HASHERS: Mapping[str, Hasher] = MappingProxyType({hasher.type: hasher for hasher in _ALL})

#: The types of hash that show what a picture shows, and so have probes.
PERCEPTUAL = frozenset(hasher.type for hasher in _PERCEPTUAL_HASHERS)


def hasher(type: str) -> Hasher:  # noqa: A002
    """The hasher of a type. Raises CallerError, naming the known types, if there is none."""
    found = HASHERS.get(type)
    if found is None:
        raise CallerError(f"no way to compute {type!r} hashes here; known are {', '.join(sorted(HASHERS))}")
    return found
