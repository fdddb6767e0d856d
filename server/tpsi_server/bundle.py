"""Bundles: vouchers in a file, for a transport of one's own.

A bundle is `"TPSIVB1\\n"`, then for each voucher `u32(length) ‖ octets`, big-endian; nothing follows.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tpsi.errors import DecodeError

MAGIC = b"TPSIVB1\n"
#: Above the largest voucher of any list: 512 slots of 2 129 octets, and 131 104 octets of payload.
MAX_VOUCHER = 1 << 21
_LENGTH = 4


def write_bundle(file: BinaryIO, vouchers: Iterable[bytes]) -> int:
    """Write a bundle; returns the number of vouchers."""
    file.write(MAGIC)
    count = 0
    for voucher in vouchers:
        file.write(len(voucher).to_bytes(_LENGTH, "big"))
        file.write(voucher)
        count += 1
    return count


def read_bundle(file: BinaryIO) -> Iterator[bytes]:
    """The vouchers of a bundle, one after the other; DecodeError where it is not one or is cut off."""
    if file.read(len(MAGIC)) != MAGIC:
        raise DecodeError("this is not a file of vouchers: it does not begin as one")
    count = 0
    while prefix := file.read(_LENGTH):
        length = int.from_bytes(prefix, "big")
        if len(prefix) == _LENGTH and not 1 <= length <= MAX_VOUCHER:
            raise DecodeError(f"voucher {count + 1} of the file has an impossible length: the file is damaged")
        data = file.read(length)
        if len(prefix) < _LENGTH or len(data) < length:
            raise DecodeError(f"the file of vouchers is cut off in voucher {count + 1}: copy it again")
        yield data
        count += 1
