"""A voucher taken apart for people to look at: which octets are what (specification, section 7.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from examples.demo.promise import ROWS
from tpsi import group
from tpsi.symmetric import KEY_SIZE, TAG_SIZE
from tpsi.voucher import HEADER_SIZE, share_size

SUITE: Final = "TPSI-RISTRETTO255-SHA512"

#: Octets of the last part that are shown.
_SHOWN_PAYLOAD = 48


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a voucher: the beginning of it in hexadecimal, all its octets counted, and what it is."""

    name: str
    hex: str
    octets: int
    meaning: str

    @property
    def is_whole(self) -> bool:
        """Whether `hex` is all of it."""
        return len(self.hex) == 2 * self.octets


def take_apart(voucher: bytes) -> Sequence[Part]:
    """Header, point, sealed share, sealed payload of a voucher with one slot."""
    point = HEADER_SIZE + group(SUITE).element_size
    share = point + KEY_SIZE + share_size(ROWS) + TAG_SIZE
    payload = voucher[share:]
    return (
        Part("header", voucher[:HEADER_SIZE].hex(), HEADER_SIZE, "which table it was made for, and a random number"),
        Part("Q", voucher[HEADER_SIZE:point].hex(), point - HEADER_SIZE, "a point that hides the picture's hash"),
        Part("share", voucher[point:share].hex(), share - point, "opens only if the hash is on the list"),
        Part(
            "payload",
            payload[:_SHOWN_PAYLOAD].hex(),
            len(payload),
            "a small copy of the picture, locked twice: by the share, and by the threshold",
        ),
    )
