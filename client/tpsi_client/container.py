"""Vouchers in a file, for any other way to the server: `TPSIVB1`, then each with its length."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tpsi.errors import DecodeError
from tpsi.voucher import MAX_SIZE_CLASS, MAX_SLOTS, padded_size

MAGIC = b"TPSIVB1\n"
_LENGTH_SIZE = 4
#: No voucher is larger: 512 slots of 33 + 32 + 8·256 + 16 octets, and the largest size class.
MAX_VOUCHER = 40 + MAX_SLOTS * (33 + 32 + 8 * 256 + 16) + padded_size(MAX_SIZE_CLASS) + 32


def write_vouchers(stream: BinaryIO, vouchers: Iterable[bytes]) -> int:
    """Write the magic, then `u32 big-endian length ‖ voucher` for each; how many there were."""
    stream.write(MAGIC)
    count = 0
    for voucher in vouchers:
        stream.write(len(voucher).to_bytes(_LENGTH_SIZE, "big") + voucher)
        count += 1
    return count


def read_vouchers(stream: BinaryIO) -> Iterator[bytes]:
    """Inverse of `write_vouchers`. Raises DecodeError if this is something else, or is cut off."""
    if stream.read(len(MAGIC)) != MAGIC:
        raise DecodeError("this is not a file of vouchers")
    while head := stream.read(_LENGTH_SIZE):
        size = int.from_bytes(head, "big")
        if len(head) != _LENGTH_SIZE or not 0 < size <= MAX_VOUCHER:
            raise DecodeError("the file of vouchers is damaged")
        voucher = stream.read(size)
        if len(voucher) != size:
            raise DecodeError("the file of vouchers is cut off")
        yield voucher
