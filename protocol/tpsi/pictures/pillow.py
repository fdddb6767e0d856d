"""The way to what needs Pillow: loaded when a picture is first read, so that all else works without it."""

from types import ModuleType
from typing import TYPE_CHECKING

from tpsi.pictures.errors import missing

if TYPE_CHECKING:
    from PIL import Image

    from tpsi.pictures.limits import Limits


def decoded(data: bytes, name: str, limits: "Limits") -> "Image.Image":
    """`decode.decode`. Raises ExtraMissingError if there is no Pillow."""
    image: Image.Image = _decoding().decode(data, name, limits)
    return image


def extensions() -> frozenset[str]:
    """`decode.extensions`. Raises ExtraMissingError if there is no Pillow."""
    names: frozenset[str] = _decoding().extensions()
    return names


def _decoding() -> ModuleType:
    try:
        from tpsi.pictures import decode
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "PIL":
            raise
        raise missing("Pillow", "pictures") from None
    return decode
