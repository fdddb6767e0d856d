"""The associated data of a photograph: a content key and a derivative of the picture (specification, section 13)."""

from dataclasses import dataclass
from typing import Self

from tpsi.errors import CallerError, DecodeError
from tpsi.labels import Label
from tpsi.symmetric import KEY_SIZE, open_sealed, seal

_MAGIC = b"TPH1"


@dataclass(frozen=True, slots=True)
class Photograph:
    """What a reveal shows of a photograph.

    `content_key`: 32 octets that open the encrypted original, if the operator has it; `derivative`: a small JPEG, or
    nothing.
    """

    content_key: bytes
    derivative: bytes

    def __post_init__(self) -> None:
        if len(self.content_key) != KEY_SIZE:
            raise CallerError(f"a content key has {KEY_SIZE} octets")

    def encode(self) -> bytes:
        """`"TPH1" ‖ content key ‖ derivative`."""
        return _MAGIC + self.content_key + self.derivative

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError if these are not a photograph's associated data."""
        if not data.startswith(_MAGIC) or len(data) < len(_MAGIC) + KEY_SIZE:
            raise DecodeError("these are not the associated data of a photograph")
        start = len(_MAGIC)
        return cls(data[start : start + KEY_SIZE], data[start + KEY_SIZE :])

    def __repr__(self) -> str:
        return f"<Photograph with a derivative of {len(self.derivative)} octets>"


def seal_original(content_key: bytes, original: bytes) -> bytes:
    """Encrypt an original under its content key, which must encrypt nothing else."""
    return seal(content_key, original, Label.ORIGINAL)


def open_original(content_key: bytes, sealed: bytes) -> bytes:
    """Inverse of `seal_original`; DecodeError if key or octets are not the right ones."""
    original = open_sealed(content_key, sealed, Label.ORIGINAL)
    if original is None:
        raise DecodeError("the encrypted original does not open with this content key")
    return original
