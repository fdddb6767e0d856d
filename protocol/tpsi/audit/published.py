"""Published negatives: names that are not on a list, with the proof, in one file (specification, section 16.6)."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from tpsi.audit.package import from_lines, to_lines
from tpsi.audit.proofs import MAX_NAMES, AbsenceProof
from tpsi.errors import DecodeError
from tpsi.manifest import Manifest
from tpsi.table import PackedItems, canonical_items

#: Lines before the names.
_HEAD = 3
_FIRST = b"tpsi-absences 1"
_PROOF = b"proof "
_MANIFEST = b"manifest "
#: Octets of a file: 2^20 names of the longest kind, with their proof.
MAX_FILE = 256 << 20


@dataclass(frozen=True, slots=True, eq=False)
class PublishedAbsences:
    """Names (encoded, distinct, ascending) and a proof that is said to be about them."""

    names: Sequence[bytes]
    proof: AbsenceProof

    def encode(self) -> bytes:
        """The file's octets: three lines that begin it, and a name a line."""
        proof = b64encode(self.proof.encode())
        head = (_FIRST, _MANIFEST + self.proof.manifest_digest.hex().encode("ascii"), _PROOF + proof)
        return b"\n".join(head) + b"\n" + b"".join(to_lines(self.names))

    @classmethod
    def decode(cls, data: bytes, manifest: Manifest) -> "PublishedAbsences":
        """Inverse of `encode`; DecodeError for anything else, AuditError if it is about another manifest."""
        if len(data) > MAX_FILE:
            raise DecodeError(f"a file of published negatives has at most {MAX_FILE} octets")
        if data.count(b"\n") > _HEAD + MAX_NAMES:  # before an object is made of each
            raise DecodeError(f"a file of published negatives has at most {MAX_NAMES} names, a line each")
        lines = data.split(b"\n")
        if len(lines) <= _HEAD or lines[0] != _FIRST or not lines[2].startswith(_PROOF):
            raise DecodeError("this is not a file of published negatives")
        try:
            proof = b64decode(lines[2][len(_PROOF) :], validate=True)
        except ValueError:
            raise DecodeError("the proof in the file of published negatives is not base64") from None
        names: PackedItems = canonical_items(from_lines(lines[_HEAD:], "the file"))
        made = cls(names, AbsenceProof.decode(proof, manifest))
        if made.encode() != data:
            raise DecodeError("the file of published negatives is not in canonical form: are the names in order?")
        return made
