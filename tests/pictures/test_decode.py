"""Files of every kind, whole and hostile: one deterministic result, or one kind of error."""

import struct
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from tests.pictures.files import chunk, encode, png
from tests.pictures.recipes import picture
from tpsi.errors import CallerError
from tpsi.pictures import Limits, Picture, PictureError

RGB = picture("smooth", 1, 60, 40)


def decoded(data: bytes, **limits: int) -> Image.Image:
    return Picture.from_bytes(data, "photo.jpg", Limits(**limits)).image


def same(first: Image.Image, second: Image.Image) -> bool:
    return first.mode == second.mode == "RGB" and np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("encoding", ["BMP", "PNG", "TIFF"])
def test_lossless_formats_decode_to_the_pixels(encoding: str) -> None:
    assert same(decoded(encode(RGB, encoding)), RGB)


@pytest.mark.parametrize("encoding", ["AVIF", "GIF", "JPEG", "WEBP"])
def test_lossy_formats_decode_to_nearly_the_pixels(encoding: str) -> None:
    result = decoded(encode(RGB, encoding))
    assert result.size == RGB.size
    assert np.abs(np.asarray(result, np.int64) - np.asarray(RGB)).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("encoding", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied(encoding: str, orientation: int) -> None:
    corners = Image.new("RGB", (32, 16), "black")
    corners.paste("white", (0, 0, 16, 8))  # bright at the top left of what is stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = decoded(encode(corners, encoding, exif=exif))
    assert result.size == ((32, 16) if orientation < 5 else (16, 32))
    bright = np.argwhere(np.asarray(result.convert("L")) > 128).mean(axis=0) < np.array(result.size[::-1]) / 2
    at_top, at_left = {
        1: (1, 1),
        2: (1, 0),
        3: (0, 0),
        4: (0, 1),
        5: (1, 1),
        6: (1, 0),
        7: (0, 0),
        8: (0, 1),
    }[orientation]
    assert bright.tolist() == [bool(at_top), bool(at_left)]


def test_metadata_do_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    data = encode(RGB, "JPEG", exif=exif, comment=b"a comment", dpi=(72, 72))
    assert decoded(data).info == {}


def test_grey_and_one_bit() -> None:
    grey = RGB.convert("L")
    assert same(decoded(encode(grey, "PNG")), grey.convert("RGB"))
    assert same(decoded(encode(RGB.convert("1"), "PNG")), RGB.convert("1").convert("RGB"))


def test_palette() -> None:
    palette = RGB.quantize(32)
    assert same(decoded(encode(palette, "PNG")), palette.convert("RGB"))


def test_transparent_palette_colour_becomes_white() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 0)
    result = decoded(encode(palette, "PNG", transparency=0))
    assert result.getpixel((0, 0)) == (255, 255, 255)
    assert result.getpixel((1, 1)) == (40, 50, 60)


@pytest.mark.parametrize(("mode", "key"), [("L", 7), ("RGB", (7, 7, 7))])
def test_transparent_colour_key_becomes_white(mode: str, key: int | tuple[int, ...]) -> None:
    image = Image.new(mode, (4, 4), 100 if mode == "L" else (100, 100, 100))
    image.putpixel((0, 0), key)
    result = decoded(encode(image, "PNG", transparency=key))
    assert result.getpixel((0, 0)) == (255, 255, 255)
    assert result.getpixel((1, 1)) == (100, 100, 100)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white(mode: str) -> None:
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.putpixel((2, 0), (0, 0, 0, 127))
    result = np.asarray(decoded(encode(image.convert(mode), "PNG")))
    assert result[0].tolist() == [[0, 0, 0], [255, 255, 255], [128, 128, 128]]


def test_cmyk() -> None:
    cmyk = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert decoded(encode(cmyk, "TIFF")).getpixel((8, 8)) == (0, 255, 255)
    red, green, blue = np.asarray(decoded(encode(cmyk, "JPEG", quality=95)), np.int64)[8, 8]
    assert red < 10
    assert min(green, blue) > 245


def test_sixteen_bit_grey_keeps_the_high_byte() -> None:
    samples = np.array([[0, 255, 256], [32768, 65279, 65535]], dtype=np.uint16)
    for encoding in ("PNG", "TIFF"):
        result = np.asarray(decoded(encode(Image.fromarray(samples), encoding)))
        assert result[:, :, 0].tolist() == [[0, 0, 1], [128, 254, 255]]


def test_sixteen_bit_colour_keeps_the_high_byte() -> None:
    line = b"\0" + struct.pack(">6H", 0x12FF, 0x8000, 0xFFFF, 0, 0x00FF, 0x0100)
    data = png(2, 1, 16, 2, chunk(b"IDAT", zlib.compress(line)))
    assert np.asarray(decoded(data))[0].tolist() == [[0x12, 0x80, 0xFF], [0, 0, 1]]


def test_thirty_two_bit_grey_is_clipped_to_sixteen() -> None:
    samples = np.array([[-5, 256, 70000]], dtype=np.int32)
    result = np.asarray(decoded(encode(Image.fromarray(samples), "TIFF")))
    assert result[0, :, 0].tolist() == [0, 1, 255]


def test_floating_point_pixels_are_refused() -> None:
    data = encode(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    with pytest.raises(PictureError, match="floating-point"):
        decoded(data)


@pytest.mark.parametrize("encoding", ["GIF", "PNG", "WEBP"])
def test_first_frame_of_an_animation(encoding: str) -> None:
    first, second = Image.new("RGB", (20, 20), (255, 0, 0)), Image.new("RGB", (20, 20), (0, 0, 255))
    options = {"lossless": True} if encoding == "WEBP" else {}
    data = encode(first, encoding, save_all=True, append_images=[second], duration=100, **options)
    assert same(decoded(data), first)


@pytest.mark.parametrize("profile", [b"", b"not a profile", b"\0" * 3000])
def test_odd_colour_profile_is_ignored(profile: bytes) -> None:
    plain, odd = (encode(RGB, "JPEG", **options) for options in ({}, {"icc_profile": profile}))
    assert same(decoded(odd), decoded(plain))


def test_broken_exif_is_no_reason_to_refuse() -> None:
    data = encode(RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff garbage")
    assert same(decoded(data), decoded(encode(RGB, "JPEG")))


def test_one_pixel() -> None:
    assert decoded(encode(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1)])
def test_extremely_narrow(size: tuple[int, int]) -> None:
    narrow = picture("noise", 2, *size)
    assert same(decoded(encode(narrow, "PNG")), narrow)


def test_empty_file_is_refused() -> None:
    with pytest.raises(PictureError, match=r"^photo\.jpg: .*the file is empty.*; skipped$"):
        decoded(b"")


def test_text_that_claims_to_be_a_picture_is_refused() -> None:
    with pytest.raises(PictureError, match=r"^photo\.jpg: .*unknown or damaged format.*; skipped$"):
        decoded(b"Dear Sir or Madam,\n" * 100)


@pytest.mark.parametrize("encoding", ["AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(encoding: str, part: float) -> None:
    data = encode(picture("noise", 3, 64, 64), encoding)
    with pytest.raises(PictureError, match=r"^photo\.jpg: not a picture that can be decoded \(.+\); skipped$"):
        decoded(data[: int(len(data) * part)])


@pytest.mark.parametrize("encoding", ["AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
def test_corrupted_files_never_raise_anything_but_picture_errors(encoding: str) -> None:
    whole = encode(picture("smooth", 4, 48, 32), encoding)
    randomness = np.random.default_rng(5)
    for _ in range(60):
        data = bytearray(whole)
        for place in randomness.integers(0, len(data), 8):
            data[place] = int(randomness.integers(256))
        with suppress(PictureError):
            assert decoded(bytes(data), max_pixels=1_000_000).mode == "RGB"


@pytest.mark.parametrize("side", [9_000, 12_000, 20_000, 2**31 - 1])
def test_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    bomb = png(side, side, 8, 2, chunk(b"IDAT", zlib.compress(bytes(100))))
    with warnings.catch_warnings(record=True) as seen, pytest.raises(PictureError, match="pixels"):
        decoded(bomb)
    assert not seen


def test_pixel_limit_is_exact() -> None:
    data = encode(RGB, "PNG")
    assert decoded(data, max_pixels=2400).size == (60, 40)
    with pytest.raises(PictureError, match="60 x 40 pixels, the limit is 2399 in all"):
        decoded(data, max_pixels=2399)


def test_byte_limit_is_exact() -> None:
    data = encode(RGB, "PNG")
    assert decoded(data, max_file_bytes=len(data)).size == (60, 40)
    with pytest.raises(PictureError, match="too large to decode"):
        decoded(data, max_file_bytes=len(data) - 1)


def test_formats_that_run_other_programs_are_refused() -> None:
    with pytest.raises(PictureError):
        decoded(encode(RGB, "EPS"))


def test_limits_below_one_are_refused() -> None:
    for options in ({"max_file_bytes": 0}, {"max_pixels": 0}):
        with pytest.raises(CallerError):
            Limits(**options)
