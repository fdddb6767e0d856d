"""Encoded pictures for tests, made on the spot."""

import struct
import zlib
from io import BytesIO
from typing import Any

import skimage.data
from PIL import Image


def encode(image: Image.Image, encoding: str, **options: Any) -> bytes:
    """The image as a file of a format that Pillow writes."""
    buffer = BytesIO()
    image.save(buffer, encoding, **options)
    return buffer.getvalue()


def photograph(name: str) -> Image.Image:
    """A picture that comes with scikit-image itself, without any download."""
    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def chunk(name: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour_type: int, *chunks: bytes) -> bytes:
    """A PNG file with the header that is asked for, true or not, and the given chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")
