"""Signed manifests: an envelope of signatures over the exact bytes (specification, section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    def verify(self, server_key: bytes, auditor_keys: Sequence[bytes] = (), needed: int | None = None) -> Manifest:
        """The manifest, if the server's signature and those of `needed` of the named auditors verify (check 2).

        All of the auditors if `needed` is None. Raises VerificationError naming who is missing or what is wrong.
        Signatures by others are ignored.
        """
        if problem := self.problem(Role.SERVER, server_key):
            raise VerificationError(problem)
        keys = list(dict.fromkeys(auditor_keys))
        problems = [problem for key in keys if (problem := self.problem(Role.AUDITOR, key))]
        demanded = len(keys) if needed is None else needed
        if (found := len(keys) - len(problems)) < demanded:
            raise VerificationError(
                f"{found} of the {demanded} auditors' signatures that are demanded are there: {'; '.join(problems)}"
            )
        return self.manifest

    def problem(self, role: Role, key: bytes) -> str | None:
        """Why this signer's signature does not count, None if it is there and verifies."""
        signature = next((s for s in self.signatures if (s.role, s.key) == (role, key)), None)
        if signature is None:
            return f"the manifest carries no signature by the {role.value} whose key begins {key.hex()[:16]}"
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature.value, _message(role, self.manifest.encoded))
        except (InvalidSignature, ValueError):
            return (
                f"the signature by the {role.value} whose key begins {key.hex()[:16]} does not verify: "
                "signature or manifest was altered"
            )
        return None

    def signed_by(self, signature: Signature) -> Self:
        """The envelope with one more signature, in place of an earlier one by the same signer.

        VerificationError if it is not one of this manifest.
        """
        signer = signature.role, signature.key
        others = tuple(s for s in self.signatures if (s.role, s.key) != signer)
        envelope = replace(self, signatures=(*others, signature))
        if problem := envelope.problem(*signer):
            raise VerificationError(problem)
        return envelope


def _message(role: Role, data: bytes) -> bytes:
    name = role.value.encode("ascii")
    return Label.MANIFEST_SIGNATURE + bytes((len(name),)) + name + data
