"""Section 2.1: expand_message_xmd of RFC 9380, section 5.3.1, which both hashes to a group begin with."""

from collections.abc import Callable
from typing import Any

from .notation import u8, u16


def expand_message_xmd(hash_function: Callable[[bytes], Any], message: bytes, tag: bytes, n: int) -> bytes:
    """n uniform octets. `tag` is the domain-separation tag, at most 255 octets."""
    probe = hash_function(b"")
    tagged = tag + u8(len(tag))
    b0 = hash_function(bytes(probe.block_size) + message + u16(n) + u8(0) + tagged).digest()
    block = hash_function(b0 + u8(1) + tagged).digest()
    output = block
    for i in range(2, -(-n // probe.digest_size) + 1):
        mixed = bytes(x ^ y for x, y in zip(b0, block, strict=True))
        block = hash_function(mixed + u8(i) + tagged).digest()
        output += block
    return bytes(output[:n])
