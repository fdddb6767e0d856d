"""Item hashes: a type label and a digest, with one canonical byte encoding (specification, section 3)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tpsi.errors import CallerError, DecodeError

#: Digest sizes, in bytes, of the types that the project knows. A type that is not here may have any
#: digest of 1 to 64 bytes; one that is here must have exactly this size.
DIGEST_SIZES: dict[str, int] = {
    "dct64": 8,
    "dct80": 10,
    "dct100": 13,
    "dct128": 16,
    "md5": 16,
    "neuralhash": 12,
    "pdq": 32,
    "phash": 8,
    "sha1": 20,
    "sha256": 32,
    "sha512": 64,
}

MAX_LABEL = 32
MAX_DIGEST = 64
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}\Z")
_TEXT = re.compile(r"([^:]*):((?:[0-9a-f]{2})+)\Z")


def is_label(text: str) -> bool:
    """Whether a text is a hash type's label: 1 to 32 characters of `a-z0-9._-`, the first of them `a-z0-9`."""
    return _LABEL.match(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class ItemHash:
    """One hash of one item: `type` names the function, `digest` is its output.

    Raises CallerError if the label is not 1 to 32 characters of `a-z0-9._-`, or the digest's length
    is not the one of its type.
    """

    type: str
    digest: bytes

    def __post_init__(self) -> None:
        if not is_label(self.type):
            raise CallerError(f"hash type {self.type!r} is not 1 to {MAX_LABEL} characters of a-z 0-9 . _ -")
        size = DIGEST_SIZES.get(self.type)
        if size is not None and len(self.digest) != size:
            raise CallerError(f"a {self.type} digest has {size} bytes, this one has {len(self.digest)}")
        if not 1 <= len(self.digest) <= MAX_DIGEST:
            raise CallerError(f"a digest has 1 to {MAX_DIGEST} bytes, this one has {len(self.digest)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of `str`: the text form `type:hex`, for example `md5:d41d8cd98f00b204e9800998ecf8427e`.

        DecodeError for any other text, upper case included.
        """
        found = _TEXT.match(text)
        if found is None:
            raise DecodeError("an item hash is written as type:hex, in lower case")
        try:
            return cls(found[1], bytes.fromhex(found[2]))
        except CallerError as error:
            raise DecodeError(str(error)) from None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; accepts exactly the bytes that `encode` makes, else DecodeError."""
        label_size = data[0] if data else 0
        label, rest = data[1 : 1 + label_size], data[1 + label_size :]
        if not rest or len(rest) != 1 + rest[0] or not label.isascii():
            raise DecodeError("not the canonical encoding of an item hash")
        try:
            return cls(label.decode("ascii"), rest[1:])
        except CallerError as error:
            raise DecodeError(str(error)) from None

    def encode(self) -> bytes:
        """`u8 label length ‖ label ‖ u8 digest length ‖ digest`: injective, so types cannot be confused."""
        return _prefix(self.type, len(self.digest)) + self.digest

    def __str__(self) -> str:
        return f"{self.type}:{self.digest.hex()}"


@lru_cache(maxsize=256)  # a list has few types, and millions of hashes
def _prefix(label: str, size: int) -> bytes:
    return bytes((len(label),)) + label.encode("ascii") + bytes((size,))
