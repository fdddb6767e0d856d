"""Lists that sources have signed: the signature, and what the manifest says of it (specification, section 16.6)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tpsi import canonical
from tpsi.audit.lists import list_digest
from tpsi.errors import CallerError, DecodeError, VerificationError
from tpsi.labels import Label
from tpsi.secret import Secret
from tpsi.signing import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, public_key

VERSION = 1
MAX_SIZE = 1024


@dataclass(frozen=True, slots=True)
class ListSignature:
    """A source's signature (64 octets) under its list, not yet verified, with its public key (32)."""

    key: bytes
    items: int
    value: bytes

    def __post_init__(self) -> None:
        if len(self.key) != PUBLIC_KEY_SIZE or len(self.value) != SIGNATURE_SIZE:
            raise CallerError("an Ed25519 key has 32 octets, a signature 64")
        if type(self.items) is not int or not 0 <= self.items <= canonical.MAX_INTEGER:
            raise CallerError("a list has 0 to 2^53 - 1 items")

    def verify(self, items: Sequence[bytes]) -> bytes:
        """The list's digest, if this is its signature; else VerificationError.

        `items`: encoded, distinct, ascending (as `canonical_items` gives).
        """
        if len(items) != self.items:
            raise VerificationError(f"the source signed a list of {self.items} hashes, this one has {len(items)}")
        digest = list_digest(items)
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(self.value, Label.HASH_LIST_SIGNATURE + digest)
        except (InvalidSignature, ValueError):
            raise VerificationError("the source's signature is not one under this list") from None
        return digest

    def encode(self) -> bytes:
        """The canonical bytes of a signature file."""
        return canonical.encode(
            {
                "items": self.items,
                "key": self.key.hex(),
                "signature": self.value.hex(),
                "tpsi_list_signature": VERSION,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else."""
        value = canonical.decode(data, "the list's signature file", MAX_SIZE)
        try:
            made = cls(bytes.fromhex(value["key"]), value["items"], bytes.fromhex(value["signature"]))
        except (KeyError, TypeError, ValueError):
            raise DecodeError("the list's signature file is malformed") from None
        if made.encode() != data:
            raise DecodeError("the list's signature file is not in canonical form")
        return made


def sign_list(items: Sequence[bytes], signing_key: Ed25519PrivateKey) -> ListSignature:
    """Sign a list (encoded, distinct, ascending) as its source."""
    value = signing_key.sign(Label.HASH_LIST_SIGNATURE + list_digest(items))
    return ListSignature(public_key(signing_key), len(items), value)


def blinded_digest(fill_key: Secret, name: str, digest: bytes) -> bytes:
    """32 octets that bind a manifest to the digest of a source's list, and show it to holders of the fill key alone.

    The digest itself would confirm a guess of the list to everybody.
    """
    encoded = name.encode("utf-8")
    return hmac.digest(
        fill_key.reveal(), Label.HASH_LIST + len(encoded).to_bytes(2, "big") + encoded + digest, "sha256"
    )
