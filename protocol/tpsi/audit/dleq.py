"""Proof that two logarithms are equal, for any bases (RFC 9497, section 2.2; specification, section 15.1).

What the challenge is hashed from is the caller's: the library's own is `transcript.Transcript.challenge`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tpsi.errors import DecodeError
from tpsi.groups import Group, Rows

#: Gives the challenge scalar (1, scalar_size) for the commitments (2, element_size).
Challenge: TypeAlias = Callable[[Rows], Rows]


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """`images` = k·`bases` for one k, two rows each. Elements from outside were checked to be valid before."""

    bases: Rows
    images: Rows


@dataclass(frozen=True, slots=True)
class Proof:
    """Challenge and response, encoded scalars."""

    challenge: bytes
    response: bytes

    @classmethod
    def decode(cls, data: bytes, group: Group) -> "Proof":
        """Inverse of `encode`; DecodeError unless these are two scalars below the order."""
        size = group.scalar_size
        if len(data) != 2 * size:
            raise DecodeError(f"a proof has {2 * size} octets, this one has {len(data)}")
        group.decode_scalars(np.frombuffer(data, np.uint8).reshape(2, size))
        return cls(data[:size], data[size:])

    def encode(self) -> bytes:
        """challenge ‖ response."""
        return self.challenge + self.response


def prove(group: Group, statement: Statement, scalar: Rows, nonce: Rows, challenge: Challenge) -> Proof:
    """GenerateProof of one pair. `nonce` (1, scalar_size) is uniform and used for this one proof."""
    chosen = challenge(group.multiply(nonce, statement.bases))
    c, k, r = (group.decode_scalars(row)[0] for row in (chosen, scalar, nonce))
    return Proof(chosen.tobytes(), group.encode_scalars([r - c * k]).tobytes())


def verify(group: Group, statement: Statement, proof: Proof, challenge: Challenge) -> bool:
    """VerifyProof of one pair. Not in constant time: all of it is public."""
    scalars = np.frombuffer(proof.response + proof.challenge, np.uint8).reshape(2, -1)
    pairs = zip(statement.bases, statement.images, strict=True)
    commitments = [group.weighted_sum(scalars, np.stack(pair)) for pair in pairs]
    return challenge(np.concatenate(commitments)).tobytes() == proof.challenge
