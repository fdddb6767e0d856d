"""Decoding of files from anywhere into upright RGB pixels, in one deterministic way."""

import threading
import warnings
from functools import cache
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from tpsi.pictures.errors import PictureError, printable, unusable
from tpsi.pictures.limits import Limits

#: What phones, browsers and messengers write. Every further decoder is surface for hostile files, and
#: some of Pillow's run other programs (EPS) or read other files; they stay out.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

_ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_TRANSPARENCY_MODES = frozenset({"1", "L", "P", "RGB"})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# `warnings.catch_warnings` swaps state of the whole process, so two threads must not be in it at once.
_quiet = threading.Lock()


@cache
def decoders() -> tuple[str, ...]:
    """Those of FORMATS that the installed Pillow knows."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@cache
def extensions() -> frozenset[str]:
    """File name extensions of the formats that can be decoded: lower case, with the dot."""
    return frozenset(extension for extension, name in Image.registered_extensions().items() if name in decoders())


def decode(data: bytes, name: str, limits: Limits) -> Image.Image:
    """Pixels of an encoded picture: mode RGB, upright, first frame, without metadata.

    Deterministic rules: the EXIF orientation is applied; of an animation the first frame counts; what is
    transparent lies on white; of 16-bit samples the high byte is taken; CMYK is converted by Pillow's
    formula; colour profiles are ignored. `name` is for messages only.

    Raises PictureError if the bytes are not a whole picture of a format in FORMATS within the limits.
    """
    if not data:
        raise unusable(name, "not a picture that can be decoded (the file is empty)")
    try:
        with _open(data) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise unusable(name, f"{width} x {height} pixels, the limit is {limits.max_pixels} in all")
            image.load()
            upright = _UPRIGHT.get(_orientation(image))
            pixels = _to_rgb(image, name)
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly every class of exception on hostile files
        raise unusable(name, f"not a picture that can be decoded ({_reason(error)})") from None
    if upright is not None:
        pixels = pixels.transpose(upright)
    pixels.info.clear()
    return pixels


def _open(data: bytes) -> Image.Image:
    """Read the header only. Pillow's warnings about odd files are no news to whoever scans a folder."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(data), formats=decoders())


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) if there is none or it can't be read."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = image.getexif().get(ExifTags.Base.Orientation, 1)
        except Exception:  # a picture with broken metadata is still a picture
            return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "F":
        raise unusable(name, "floating-point pixels have no fixed range, so no defined colours")
    if image.mode.startswith("I"):
        image = _high_bytes(image)
    transparent = image.mode in _TRANSPARENCY_MODES and image.has_transparency_data
    if image.mode in _ALPHA_MODES or transparent:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _high_bytes(image: Image.Image) -> Image.Image:
    """8-bit grey from 16-bit grey; 32-bit samples are clipped to 16 bits first."""
    samples = np.asarray(image).astype(np.int64)
    return Image.fromarray((samples.clip(0, 65535) >> 8).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "unknown or damaged format"
    if isinstance(error, Image.DecompressionBombError):
        return "its header claims an absurd number of pixels"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return printable(str(error).strip() or type(error).__name__)
