"""The batched proof of RFC 9497, section 2.2, as it stands there: for its vectors, and to attack it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tpsi.audit.dleq import Challenge
from tpsi.groups import P256_SHA256, Group, Rows
from tpsi.groups.expand import HashName, expand_message_xmd


@dataclass(frozen=True)
class Rfc9497:
    """One ciphersuite of the RFC in mode VOPRF. `bits`: coefficients are cut to so many, to make attacks quick."""

    group: Group
    identifier: str
    bits: int | None = None

    @property
    def hash(self) -> HashName:
        """The suite's hash."""
        return "sha256" if self.group.suite == P256_SHA256 else "sha512"

    @property
    def context(self) -> bytes:
        """The RFC's contextString."""
        return b"OPRFV1-\x01-" + self.identifier.encode()

    def scalar(self, *parts: bytes) -> Rows:
        """HashToScalar."""
        tag = b"HashToScalar-" + self.context
        wide = expand_message_xmd(b"".join(parts), tag, self.group.wide_size, self.hash)
        return self.group.scalars_from_wide(np.frombuffer(wide, np.uint8).reshape(1, -1))

    def coefficient(self, key: Rows, index: int, element: bytes, image: bytes) -> Rows:
        """d_i of ComputeComposites: it depends on its own pair and index, and on no other pair."""
        seed = hashlib.new(self.hash, sized(key.tobytes()) + sized(b"Seed-" + self.context)).digest()
        d = self.scalar(sized(seed), index.to_bytes(2, "big"), sized(element), sized(image), b"Composite")
        if self.bits is None:
            return d
        return self.group.encode_scalars([self.group.decode_scalars(d)[0] % 2**self.bits])

    def composites(self, key: Rows, elements: Rows, images: Rows) -> tuple[Rows, Rows]:
        """M and Z."""
        pairs = zip(elements, images, strict=True)
        rows = [self.coefficient(key, i, c.tobytes(), d.tobytes()) for i, (c, d) in enumerate(pairs)]
        weights = np.concatenate(rows)
        return self.group.weighted_sum(weights, elements), self.group.weighted_sum(weights, images)

    def challenge(self, key: Rows, composites: Iterable[Rows]) -> Challenge:
        """The challenge of GenerateProof."""
        bound = [key, *composites]

        def challenge(commitments: Rows) -> Rows:
            hashed = [sized(row.tobytes()) for rows in (*bound, commitments) for row in rows]
            return self.scalar(*hashed, b"Challenge")

        return challenge


def sized(octets: bytes) -> bytes:
    """With the length before them, as the RFC writes octets into a transcript."""
    return len(octets).to_bytes(2, "big") + octets
