"""A signature under a manifest as octets of its own, on its way from an auditor to the envelope (specification, 5)."""

from dataclasses import dataclass
from typing import Self

from tpsi import canonical
from tpsi.errors import CallerError, DecodeError
from tpsi.merkle import DIGEST_SIZE
from tpsi.signing import Role, Signature

VERSION = 1
MAX_SIZE = 1024


@dataclass(frozen=True, slots=True)
class DetachedSignature:
    """A signature, not yet verified, and the digest of the manifest that it is said to be under."""

    manifest_digest: bytes
    signature: Signature

    def __post_init__(self) -> None:
        if len(self.manifest_digest) != DIGEST_SIZE:
            raise CallerError("a manifest digest has 32 octets")

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "key": self.signature.key.hex(),
                "manifest": self.manifest_digest.hex(),
                "role": self.signature.role.value,
                "signature": self.signature.value.hex(),
                "tpsi_signature": VERSION,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else."""
        value = canonical.decode(data, "the signature file", MAX_SIZE)
        try:
            key, signed, digest = (bytes.fromhex(value[name]) for name in ("key", "signature", "manifest"))
            made = cls(digest, Signature(Role(value["role"]), key, signed))
        except (KeyError, TypeError, ValueError):
            raise DecodeError("the signature file is malformed") from None
        if made.encode() != data:
            raise DecodeError("the signature file is not in canonical form")
        return made
