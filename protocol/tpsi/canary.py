"""The canary: a published, harmless picture that a list may hold, with the hashes it must have.

A picture that everybody can make lets a deployment prove that its pipeline works end to end, and lets a
device prove that it computes hashes as the list's makers did, before anything real depends on either.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from hashlib import shake_256
from typing import Final

#: Names the picture; another picture would get another number.
CANARY_NAME: Final = "tpsi-canary-1"

#: Hashes in hexadecimal by hash type: of the bytes that `canary_picture` makes, or of what they show.
CANARY_HASHES: Final[dict[str, str]] = {
    "md5": "e6f7e9fa415f571ae8761ffcc7f2656e",
    "sha1": "4914a1b611b4a8e1917b0f25dba7ca8dce7dc078",
    "sha256": "8d838b460db19ce6e78ea9888e922124d3bfba111b0b8f700df610144bf6f019",
    "sha512": (
        "bc4ca39a4110732c5477b18fe0384cc6f8442e4940b990f39f9a6b20864ea284"
        "975f79d7d96494bccebf6a2c874ecb1554d45c785ef9ffacaaafbab55097ce51"
    ),
    "pdq": "b12e39d5bc666a8621b16a06bc6739d5b12e656c66e255d4d349d2192f7b409b",
    "phash": "f868edcc0b95a31a",
    "dct64": "bfb51886179607d8",
    "dct80": "bfb5188617d607d8d4c1",
    "dct100": "bfa51886179607d8d4c1dd0fc0",
    "dct128": "bfb5188617d607d8d4d1dd0fce96e100",
}

#: Second hashes of it (specification, section 13.1): for a reveal of the canary, as for any other.
CANARY_SECONDS: Final[dict[str, str]] = {
    "pdq64": "b5ae39d59e776a0620b12b869e6619d5b12e652c66e25dd4d3e8d219277b408b",
    "pdq": CANARY_HASHES["pdq"],
}

_WIDTH, _HEIGHT = 192, 144  # not square, and large enough that perceptual hashes average over pixels
_CELL = 12  # pixels from one random colour to the next, along both axes
_COLUMNS = _WIDTH // _CELL + 1
_ROWS = _HEIGHT // _CELL + 1
_MAX_STORED = 65535  # octets in one stored block (RFC 1951, section 3.2.4)


@cache
def canary_picture() -> bytes:
    """The canary as a PNG file of 192 x 144 RGB pixels: the same bytes everywhere, as nothing is compressed.

    Colours on a lattice, drawn from SHAKE-256 of the name, and bilinear interpolation between them: rich in
    low frequencies, and different in every direction and every colour channel.
    """
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)  # 8 bits a sample, RGB
    lines = b"".join(b"\0" + bytes(_line(y)) for y in range(_HEIGHT))  # filter type 0: none
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(lines)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _line(y: int) -> Iterator[int]:
    """Red, green and blue of the pixels of one line, in integer arithmetic."""
    row, below = divmod(y, _CELL)
    for x in range(_WIDTH):
        column, beyond = divmod(x, _CELL)
        for channel in range(3):
            near = _blend(_colour(row, column, channel), _colour(row + 1, column, channel), below)
            far = _blend(_colour(row, column + 1, channel), _colour(row + 1, column + 1, channel), below)
            yield _blend(near, far, beyond) // _CELL**2


def _blend(start: int, end: int, part: int) -> int:
    return start * (_CELL - part) + end * part


def _colour(row: int, column: int, channel: int) -> int:
    return _lattice()[(row * _COLUMNS + column) * 3 + channel]


@cache
def _lattice() -> bytes:
    return shake_256(CANARY_NAME.encode()).digest(_ROWS * _COLUMNS * 3)


def _chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk: length, name, data, CRC of name and data."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _stored(data: bytes) -> bytes:
    """A zlib stream of stored blocks (RFC 1950, RFC 1951): unlike compressed ones, they have one encoding."""
    starts = range(0, len(data), _MAX_STORED)
    blocks = (_block(data[start : start + _MAX_STORED], start == starts[-1]) for start in starts)
    return b"\x78\x01" + b"".join(blocks) + struct.pack(">I", zlib.adler32(data))


def _block(data: bytes, last: bool) -> bytes:
    return struct.pack("<BHH", last, len(data), len(data) ^ 0xFFFF) + data
