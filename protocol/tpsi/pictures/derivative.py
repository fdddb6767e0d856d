"""The small picture that a voucher carries for a reviewer."""

from io import BytesIO
from typing import TYPE_CHECKING

from tpsi.errors import CallerError
from tpsi.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

#: Enough for 160 to 200 pixels along the longer side of most photographs.
DERIVATIVE_BYTES = 4000

#: Tried in this order, each side with every quality, until the result fits.
SIDES = (200, 160, 128, 96, 64, 48, 32, 16)
QUALITIES = (70, 50, 35)


def derivative(picture: Picture, max_bytes: int = DERIVATIVE_BYTES) -> bytes:
    """A JPEG of the picture in at most `max_bytes` bytes: upright, without any metadata, never enlarged.

    Raises PictureError if the picture can't be decoded, CallerError if not even 16 pixels fit.
    """
    reduced = _within(picture.image, SIDES[0])
    size = 0
    for side in SIDES:
        small = _within(reduced, side)
        for quality in QUALITIES:
            data = _jpeg(small, quality)
            size = len(data)
            if size <= max_bytes:
                return data
    raise CallerError(f"no derivative fits in {max_bytes} bytes; allow at least {size}")


def _within(image: "Image.Image", side: int) -> "Image.Image":
    longer = max(image.size)
    if longer <= side:
        return image
    width, height = (max(1, round(length * side / longer)) for length in image.size)
    from PIL import Image

    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(image: "Image.Image", quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
    return buffer.getvalue()
