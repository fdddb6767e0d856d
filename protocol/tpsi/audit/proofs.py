"""The proofs as octets, with one decoder each (specification, section 15.5)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tpsi.audit.dleq import Proof
from tpsi.audit.subject import require_manifest
from tpsi.errors import CallerError, DecodeError
from tpsi.groups import Rows
from tpsi.manifest import Manifest
from tpsi.merkle import DIGEST_SIZE
from tpsi.secret import Secret
from tpsi.table.blinding import FILL_KEY_SIZE

VERSION: Final = 1
TABLE: Final = 1
ABSENCE: Final = 2
#: A proof of so many absences has 33 to 35 million octets: more names are better published in several proofs.
MAX_NAMES: Final = 2**20
_COUNT_SIZE = 4
_HEADER_SIZE = 2 + DIGEST_SIZE


@dataclass(frozen=True, slots=True)
class TableProof:
    """That the table of a manifest holds exactly a list. It opens the fill key: for auditors, not for the public."""

    manifest_digest: bytes
    fill_key: Secret
    proof: Proof

    def __post_init__(self) -> None:
        if len(self.manifest_digest) != DIGEST_SIZE or len(self.fill_key) != FILL_KEY_SIZE:
            raise CallerError("a manifest digest and a fill key have 32 octets")

    def encode(self) -> bytes:
        """130 octets."""
        return _header(TABLE, self.manifest_digest) + self.fill_key.reveal() + self.proof.encode()

    @classmethod
    def decode(cls, data: bytes, manifest: Manifest) -> "TableProof":
        """Inverse of `encode`; DecodeError for any other octets, AuditError if it is about another manifest."""
        rest = _after_header(data, TABLE, "a table proof")
        proof = Proof.decode(rest[FILL_KEY_SIZE:], manifest.group)
        require_manifest(data[2:_HEADER_SIZE], manifest)
        return cls(manifest.digest, Secret(rest[:FILL_KEY_SIZE]), proof)


@dataclass(frozen=True, slots=True, eq=False)
class AbsenceProof:
    """That named items are not in the table of a manifest. `values` (k, element_size): α·H(y) of every name."""

    manifest_digest: bytes
    values: Rows
    proof: Proof

    def __post_init__(self) -> None:
        if len(self.manifest_digest) != DIGEST_SIZE or not 1 <= len(self.values) <= MAX_NAMES:
            raise CallerError(f"an absence proof is about 1 to {MAX_NAMES} names of one manifest")

    def encode(self) -> bytes:
        """102 octets and those of an element for every name."""
        count = len(self.values).to_bytes(_COUNT_SIZE, "big")
        return _header(ABSENCE, self.manifest_digest) + self.proof.encode() + count + self.values.tobytes()

    @classmethod
    def decode(cls, data: bytes, manifest: Manifest) -> "AbsenceProof":
        """Inverse of `encode`; DecodeError for any other octets, AuditError if it is about another manifest.

        Whether the values are valid elements is a check of `verify_absences`.
        """
        group = manifest.group
        rest = _after_header(data, ABSENCE, "an absence proof")
        fixed = 2 * group.scalar_size
        proof = Proof.decode(rest[:fixed], group)
        count = int.from_bytes(rest[fixed : fixed + _COUNT_SIZE], "big")
        values = rest[fixed + _COUNT_SIZE :]
        if not 1 <= count <= MAX_NAMES or len(values) != count * group.element_size:
            raise DecodeError(f"an absence proof about {count} names does not have {len(data)} octets")
        require_manifest(data[2:_HEADER_SIZE], manifest)
        return cls(manifest.digest, np.frombuffer(values, np.uint8).reshape(count, group.element_size), proof)


def _header(kind: int, manifest_digest: bytes) -> bytes:
    return bytes((VERSION, kind)) + manifest_digest


def _after_header(data: bytes, kind: int, what: str) -> bytes:
    if data[:2] != bytes((VERSION, kind)) or len(data) < _HEADER_SIZE:
        raise DecodeError(f"these octets are not {what} of version {VERSION}")
    return data[_HEADER_SIZE:]
