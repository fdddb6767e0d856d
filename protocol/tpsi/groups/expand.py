"""expand_message_xmd, by which a hash to group stretches a message (RFC 9380, section 5.3.1)."""

import hashlib
from functools import lru_cache
from typing import Final, Literal

from tpsi.errors import CallerError

HashName = Literal["sha256", "sha512"]

#: Bounds of section 5.3.1: `len_in_bytes` is written in two octets, the number of hash blocks in one.
MAX_EXPANDED: Final = 65_535
MAX_BLOCKS: Final = 255
#: A longer tag is hashed first (section 5.3.3).
MAX_TAG: Final = 255
_OVERSIZE: Final = b"H2C-OVERSIZE-DST-"


def expand_message_xmd(message: bytes, dst: bytes, size: int, hash_name: HashName) -> bytes:
    """`size` uniform octets from `message` under the domain-separation tag `dst`.

    Raises CallerError if the tag is empty or `size` is beyond what the function can give.
    """
    tag = _sized_tag(dst, hash_name)
    first = hashlib.new(hash_name)
    blocks = -(-size // first.digest_size)
    if not 0 < size <= MAX_EXPANDED or blocks > MAX_BLOCKS:
        raise CallerError(f"expand_message_xmd with {hash_name} cannot give {size} octets")
    first.update(bytes(first.block_size) + message + size.to_bytes(2, "big") + b"\0" + tag)
    seed = first.digest()
    block = hashlib.new(hash_name, seed + b"\x01" + tag).digest()
    out = [block]
    for index in range(2, blocks + 1):
        mixed = int.from_bytes(seed, "big") ^ int.from_bytes(block, "big")
        block = hashlib.new(hash_name, mixed.to_bytes(len(seed), "big") + bytes((index,)) + tag).digest()
        out.append(block)
    return b"".join(out)[:size]


@lru_cache(maxsize=16)  # a process uses a few tags, over and over
def _sized_tag(dst: bytes, hash_name: HashName) -> bytes:
    """DST_prime: the tag, or the hash of one that is too long, followed by its length."""
    if not dst:
        raise CallerError("a domain-separation tag is not empty (RFC 9380, section 3.1)")
    if len(dst) > MAX_TAG:
        dst = hashlib.new(hash_name, _OVERSIZE + dst).digest()
    return dst + bytes((len(dst),))
