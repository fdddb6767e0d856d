"""Section 2: octet strings, the symmetric parts and the field, from the standard library (and one AEAD)."""

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

FIELD = 2**61 - 1
"""p of section 2.3."""


def u8(n: int) -> bytes:
    return n.to_bytes(1, "big")


def u16(n: int) -> bytes:
    return n.to_bytes(2, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")


def os2ip(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def kdf(label: str, ikm: bytes, salt: bytes, info: bytes, n: int) -> bytes:
    """HKDF-SHA-256 by RFC 5869, extract then expand."""
    prk = hmac.digest(salt, ikm, "sha256")
    full_info = label.encode("ascii") + info
    output = block = b""
    for i in range(1, -(-n // 32) + 1):
        block = hmac.digest(prk, block + full_info + u8(i), "sha256")
        output += block
    return output[:n]


def seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(bytes(12), plaintext, aad)


def open_(key: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
    """The plaintext, or None if the tag is wrong."""
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, aad)
    except InvalidTag:
        return None


def b(n: int, key: bytes, person: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=n, key=key, person=person.encode("ascii")).digest()


def words(label: str, key: bytes, data: bytes) -> Iterator[int]:
    """Words(XOF(label, key, data)): an endless row of field elements."""
    xof = hashlib.shake_256(label.encode("ascii") + key + data)
    length = 0
    while True:
        start, length = length, 2 * length + 512
        output = xof.digest(length)
        for i in range(start, length, 8):
            word = os2ip(output[i : i + 8]) & (2**61 - 1)
            if word != FIELD:
                yield word
