"""What happens to pictures on their way: nineteen harmless changes, and the mirror. Each gives a file."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Change = Callable[[Image.Image], bytes]

#: Quality of the file after changes that are not about encoding themselves.
_USUAL = 85
_MESSENGER_SIDE, _MESSENGER_QUALITY = 1280, 70


def encode(image: Image.Image, encoding: str = "JPEG", **options: object) -> bytes:
    """The picture as a file."""
    buffer = BytesIO()
    image.save(buffer, encoding, **options)
    return buffer.getvalue()


def _jpeg(quality: int) -> Change:
    return lambda image: encode(image, quality=quality)


def _webp(quality: int) -> Change:
    return lambda image: encode(image, "WEBP", quality=quality)


def _resized(part: float, quality: int = _USUAL) -> Change:
    return lambda image: encode(_scaled(image, part, Image.Resampling.BICUBIC), quality=quality)


def _scaled(image: Image.Image, part: float, resample: Image.Resampling) -> Image.Image:
    return image.resize((max(1, round(image.width * part)), max(1, round(image.height * part))), resample)


def _messenger(image: Image.Image) -> bytes:
    """What messengers do: at most 1280 pixels, or 60 % of a smaller picture, twice encoded, chroma halved."""
    part = min(0.6, _MESSENGER_SIDE / max(image.size))
    first = encode(_scaled(image, part, Image.Resampling.BILINEAR), quality=80)
    again = Image.open(BytesIO(first)).convert("RGB")
    return encode(again, quality=_MESSENGER_QUALITY, subsampling="4:2:0")


def _enhanced(kind: type[ImageEnhance.Brightness | ImageEnhance.Contrast], factor: float) -> Change:
    return lambda image: encode(kind(image).enhance(factor), quality=_USUAL)


def _blurred(image: Image.Image) -> bytes:
    radius = max(image.size) / 400
    return encode(image.filter(ImageFilter.GaussianBlur(radius)), quality=_USUAL)


def _grey(image: Image.Image) -> bytes:
    return encode(image.convert("L").convert("RGB"), quality=_USUAL)


def _watermarked(image: Image.Image) -> bytes:
    """A line of white letters, half transparent, in the lower right corner."""
    layer = Image.new("RGBA", image.size)
    place = (round(image.width * 0.62), round(image.height * 0.9))
    size = max(8, image.height // 18)
    ImageDraw.Draw(layer).text(place, "example.org", fill=(255, 255, 255, 128), font_size=size)
    return encode(Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB"), quality=_USUAL)


def _cropped(part: float) -> Change:
    """Cut `part` of the width and height off, half of it at each side."""

    def change(image: Image.Image) -> bytes:
        across, down = image.width * part / 2, image.height * part / 2
        box = (round(across), round(down), round(image.width - across), round(image.height - down))
        return encode(image.crop(box), quality=_USUAL)

    return change


def _mirrored(image: Image.Image) -> bytes:
    return encode(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=_USUAL)


#: The nineteen, by name.
BENIGN: dict[str, Change] = {
    "JPEG 95": _jpeg(95),
    "JPEG 85": _jpeg(85),
    "JPEG 75": _jpeg(75),
    "JPEG 50": _jpeg(50),
    "JPEG 30": _jpeg(30),
    "WebP 80": _webp(80),
    "WebP 40": _webp(40),
    "resized to 75 %": _resized(0.75),
    "resized to 50 %": _resized(0.5),
    "resized to 25 %": _resized(0.25),
    "messenger": _messenger,
    "brighter": _enhanced(ImageEnhance.Brightness, 1.2),
    "darker": _enhanced(ImageEnhance.Brightness, 0.8),
    "more contrast": _enhanced(ImageEnhance.Contrast, 1.2),
    "blurred": _blurred,
    "grey": _grey,
    "watermark": _watermarked,
    "cropped by 1 %": _cropped(0.01),
    "cropped by 3 %": _cropped(0.03),
}
CROPS = ("cropped by 1 %", "cropped by 3 %")

#: Measured with the probes of the picture, and with those of its mirror image.
MIRROR = "mirrored"
MIRRORED: Change = _mirrored
