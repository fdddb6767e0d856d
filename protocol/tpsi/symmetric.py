"""Symmetric parts: key derivation, one-time sealing, keyed hashing, extendable output (specification, section 2.2)."""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tpsi.labels import Label

KEY_SIZE = 32
TAG_SIZE = 16
_ZERO_NONCE = bytes(12)


def kdf(label: Label, secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869) with the info `label ‖ info`."""
    return HKDF(SHA256(), size, salt, label + info).derive(secret)


def seal(one_time_key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """ChaCha20-Poly1305 (RFC 8439) under a key that encrypts this one message, hence with the zero nonce."""
    return ChaCha20Poly1305(one_time_key).encrypt(_ZERO_NONCE, plaintext, associated)


def open_sealed(one_time_key: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
    """Inverse of `seal`; None if key, ciphertext or associated data are not the ones that were used."""
    if len(ciphertext) < TAG_SIZE:
        return None
    try:
        return ChaCha20Poly1305(one_time_key).decrypt(_ZERO_NONCE, ciphertext, associated)
    except InvalidTag:
        return None


def keyed_hash(size: int, key: bytes, label: Label, data: bytes) -> bytes:
    """Keyed BLAKE2b (RFC 7693) of `size` octets with the label as personalisation."""
    return hashlib.blake2b(data, digest_size=size, key=key, person=label).digest()


def expand(label: Label, key: bytes, data: bytes, size: int) -> bytes:
    """The first `size` octets of SHAKE256 (FIPS 202) of `label ‖ key ‖ data`."""
    return hashlib.shake_256(label + key + data).digest(size)
