"""A file that may be a picture: its bytes for file hashes, its pixels for perceptual ones."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tpsi.pictures.errors import unusable
from tpsi.pictures.limits import Limits
from tpsi.pictures.pillow import decoded

if TYPE_CHECKING:
    from PIL import Image

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Picture:
    """One file or message attachment. Decoded when pixels are first asked for, and not before.

    `name` is for messages. `content` is the file's bytes, or the path of a file that is larger than
    `limits.max_file_bytes`: such a file still has file hashes (read in pieces) but is never decoded.
    """

    name: str
    content: bytes | Path = field(repr=False)
    limits: Limits = _DEFAULT_LIMITS

    @classmethod
    def read(cls, path: str | PathLike[str], limits: Limits = _DEFAULT_LIMITS) -> Self:
        """Read a regular file. Raises PictureError if there is none at `path` or it can't be read."""
        file = Path(path)
        try:
            if not file.is_file():
                raise unusable(file.name, "not a file" if file.exists() else "no such file")
            with file.open("rb") as stream:
                data = stream.read(limits.max_file_bytes + 1)
        except OSError as error:
            raise unusable(file.name, f"can't be read ({error.strerror})") from None
        return cls(file.name, data if len(data) <= limits.max_file_bytes else file, limits)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "picture", limits: Limits = _DEFAULT_LIMITS) -> Self:
        """Wrap bytes that are in memory already; they are hashed as they are, whatever they hold."""
        return cls(name, data, limits)

    @classmethod
    def of_image(cls, image: "Image.Image", name: str) -> Self:
        """Wrap pixels (mode RGB, upright), such as a video's frame; there is no file, and so no file hash."""
        picture = cls(name, b"")
        picture.__dict__["image"] = image
        return picture

    @cached_property
    def image(self) -> "Image.Image":
        """The pixels (see `decode`), kept for later calls; not to be changed.

        Raises PictureError; ExtraMissingError if there is no Pillow.
        """
        if isinstance(self.content, Path) or len(self.content) > self.limits.max_file_bytes:
            raise unusable(self.name, f"too large to decode, the limit is {self.limits.max_file_bytes} bytes")
        return decoded(self.content, self.name, self.limits)

    def file_digest(self, algorithm: str) -> bytes:
        """Digest of the file's bytes by a function of hashlib. Raises PictureError if it can't be read."""
        if isinstance(self.content, bytes):
            return hashlib.new(algorithm, self.content, usedforsecurity=False).digest()
        try:
            with self.content.open("rb") as stream:
                return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).digest()
        except OSError as error:
            raise unusable(self.name, f"can't be read ({error.strerror})") from None
