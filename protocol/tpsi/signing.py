"""Signed manifests: an envelope of signatures over the exact bytes (specification, section 5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tpsi import canonical
from tpsi.errors import CallerError, DecodeError, VerificationError
from tpsi.labels import Label
from tpsi.manifest import Manifest

PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64
MAX_SIGNATURES = 33
#: A manifest, escaped once more as a JSON string, and its signatures.
MAX_ENVELOPE = 3 * canonical.MAX_SIZE


class Role(Enum):
    """Who signs."""

    SERVER = "server"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Signature:
    """One Ed25519 signature: `key` is the signer's public key (32 octets), `value` has 64 octets."""

    role: Role
    key: bytes
    value: bytes

    def __post_init__(self) -> None:
        if len(self.key) != PUBLIC_KEY_SIZE or len(self.value) != SIGNATURE_SIZE:
            raise CallerError("an Ed25519 key has 32 octets, a signature 64")


def public_key(signing_key: Ed25519PrivateKey) -> bytes:
    """The 32 octets of the public key."""
    return signing_key.public_key().public_bytes_raw()


def sign_manifest(manifest: Manifest, role: Role, signing_key: Ed25519PrivateKey) -> Signature:
    """Sign the manifest's canonical bytes in a role."""
    return Signature(role, public_key(signing_key), signing_key.sign(_message(role, manifest.encoded)))


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest and 1 to 33 signatures, which are not yet verified."""

    manifest: Manifest
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        signers = {(signature.role, signature.key) for signature in self.signatures}
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES or len(signers) != len(self.signatures):
            raise CallerError("a signed manifest has 1 to 33 signatures by different signers")

    def encode(self) -> bytes:
        """The canonical bytes of the envelope."""
        signatures = [{"key": s.key.hex(), "role": s.role.value, "signature": s.value.hex()} for s in self.signatures]
        return canonical.encode({"manifest": self.manifest.encoded.decode("ascii"), "signatures": signatures})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else."""
        value = canonical.decode(data, "the signed manifest", MAX_ENVELOPE)
        try:
            text, listed = value["manifest"], value["signatures"]
            manifest = Manifest.decode(text.encode("ascii"))
            signatures = tuple(
                Signature(Role(s["role"]), bytes.fromhex(s["key"]), bytes.fromhex(s["signature"])) for s in listed
            )
            envelope = cls(manifest, signatures)
        except DecodeError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DecodeError("the signed manifest is malformed") from None
        if envelope.encode() != data:
            raise DecodeError("the signed manifest is not in canonical form")
        return envelope

    def verify(self, server_key: bytes, auditor_keys: Iterable[bytes] = ()) -> Manifest:
        """The manifest, if the server's signature and one by each named auditor are there and verify (check 2).

        Raises VerificationError naming what is missing or wrong. Signatures by others are ignored.
        """
        demanded = [(Role.SERVER, server_key), *((Role.AUDITOR, key) for key in auditor_keys)]
        for role, key in demanded:
            signature = next((s for s in self.signatures if (s.role, s.key) == (role, key)), None)
            if signature is None:
                raise VerificationError(
                    f"the manifest carries no signature by the {role.value} whose key begins {key.hex()[:16]}"
                )
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature.value, _message(role, self.manifest.encoded))
            except (InvalidSignature, ValueError):
                raise VerificationError(
                    f"the {role.value}'s signature under the manifest does not verify: it was altered"
                ) from None
        return self.manifest


def _message(role: Role, data: bytes) -> bytes:
    name = role.value.encode("ascii")
    return Label.MANIFEST_SIGNATURE + bytes((len(name),)) + name + data
