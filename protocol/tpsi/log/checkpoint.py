"""Checkpoints: the log's size and root, signed by its server (specification, section 16.3).

The octets are a checkpoint of C2SP (c2sp.org/tlog-checkpoint) with exactly one signature and no extension lines, so
that tools for such logs read it; of the forms that it allows, this is the only one that is accepted here.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tpsi.canonical import MAX_INTEGER
from tpsi.errors import CallerError, DecodeError, VerificationError
from tpsi.labels import LOG_ORIGIN
from tpsi.manifest import LIST_ID_SIZE
from tpsi.merkle import DIGEST_SIZE
from tpsi.signing import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, public_key

#: Octets of a signed checkpoint: two names, three short lines and a signature.
MAX_NOTE = 512
KEY_ID_SIZE = 4
_ED25519 = b"\x01"
_NOTE = re.compile(
    rf"(?P<text>{re.escape(LOG_ORIGIN)}(?P<list>[0-9a-f]{{32}})\n(?P<size>0|[1-9][0-9]{{0,15}})\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n)\n"
    rf"— {re.escape(LOG_ORIGIN)}(?P=list) (?P<signature>[A-Za-z0-9+/]+={{0,2}})\n\Z"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one list's log: how many entries, and the root of the tree over them."""

    list_id: bytes
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if len(self.list_id) != LIST_ID_SIZE or len(self.root) != DIGEST_SIZE:
            raise CallerError("a checkpoint has a list id of 16 octets and a root of 32")
        if not 0 <= self.size <= MAX_INTEGER:
            raise CallerError("a log has 0 to 2^53 - 1 entries")

    @property
    def origin(self) -> str:
        """The name of the log, which is the name of its key as well."""
        return LOG_ORIGIN + self.list_id.hex()

    @property
    def text(self) -> bytes:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with a signature (64 octets) that is not yet verified, and the short name of its key."""

    checkpoint: Checkpoint
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.key_id) != KEY_ID_SIZE or len(self.signature) != SIGNATURE_SIZE:
            raise CallerError("a key id has 4 octets, an Ed25519 signature 64")

    def encode(self) -> bytes:
        """The note's octets."""
        signed = b64encode(self.key_id + self.signature).decode()
        return self.checkpoint.text + f"\n— {self.checkpoint.origin} {signed}\n".encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else."""
        if len(data) > MAX_NOTE:
            raise DecodeError(f"a signed checkpoint has at most {MAX_NOTE} octets")
        try:
            found = _NOTE.match(data.decode("utf-8"))
            if found is None:
                raise ValueError
            signed = b64decode(found["signature"], validate=True)
            checkpoint = Checkpoint(bytes.fromhex(found["list"]), int(found["size"]), b64decode(found["root"]))
            made = cls(checkpoint, signed[:KEY_ID_SIZE], signed[KEY_ID_SIZE:])
        except ValueError:
            raise DecodeError("the checkpoint of the log is malformed") from None
        if made.encode() != data:
            raise DecodeError("the checkpoint of the log is not in canonical form")
        return made

    def verify(self, key: bytes, list_id: bytes) -> Checkpoint:
        """The checkpoint, if it is one of this list's log, signed under the server's key; else VerificationError."""
        if self.checkpoint.list_id != list_id:
            raise VerificationError("the checkpoint is one of another list's log")
        if self.key_id != key_id(self.checkpoint.origin, key):
            raise VerificationError("the checkpoint of the log is signed under another key than the server's")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, self.checkpoint.text)
        except (InvalidSignature, ValueError):
            raise VerificationError("the signature under the log's checkpoint does not verify") from None
        return self.checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signing_key: Ed25519PrivateKey) -> SignedCheckpoint:
    """Sign as the log's server."""
    short = key_id(checkpoint.origin, public_key(signing_key))
    return SignedCheckpoint(checkpoint, short, signing_key.sign(checkpoint.text))


def key_id(name: str, key: bytes) -> bytes:
    """The four octets by which a note names an Ed25519 key (c2sp.org/signed-note)."""
    if len(key) != PUBLIC_KEY_SIZE:
        raise CallerError("an Ed25519 key has 32 octets")
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key).digest()[:KEY_ID_SIZE]
