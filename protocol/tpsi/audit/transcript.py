"""What a proof depends on, in one digest, and all that is derived from it (specification, section 15.2)."""

import hashlib
from dataclasses import dataclass

import numpy as np

from tpsi.audit.dleq import Challenge, Proof, Statement, prove, verify
from tpsi.errors import CallerError
from tpsi.groups import Group, Rng, Rows
from tpsi.labels import Label
from tpsi.symmetric import expand

WEIGHT_SIZE = 16
#: Weights that one call of the XOF gives: a verifier can start anywhere and holds one block.
BLOCK = 256
RANDOM_SIZE = 32


@dataclass(frozen=True, slots=True)
class Transcript:
    """Made after everything that a prover can choose is fixed; `digest` (32 octets) binds all of it."""

    group: Group
    digest: bytes

    @classmethod
    def of(cls, group: Group, label: Label, *parts: bytes) -> "Transcript":
        """From a label and parts whose lengths are fixed for the label, or that end by themselves."""
        name = group.suite.encode("ascii")
        return cls(group, hashlib.sha256(label + bytes((len(name),)) + name + b"".join(parts)).digest())

    def weights(self, start: int, count: int) -> Rows:
        """(count, 16): the weights of pairs start, start + 1 …, big-endian. They are uniform below 2^128."""
        first, last = start // BLOCK, -(-(start + count) // BLOCK)
        blocks = [
            expand(Label.AUDIT_WEIGHTS, self.digest, number.to_bytes(4, "big"), BLOCK * WEIGHT_SIZE)
            for number in range(first, last)
        ]
        rows = np.frombuffer(b"".join(blocks), np.uint8).reshape(-1, WEIGHT_SIZE)
        return rows[start - first * BLOCK :][:count]

    def challenge(self, statement: Statement) -> Challenge:
        """The challenge for a statement: of the digest, all four elements of it, and both commitments."""
        bound = statement.bases.tobytes() + statement.images.tobytes()

        def challenge(commitments: Rows) -> Rows:
            data = bound + commitments.tobytes()
            wide = expand(Label.AUDIT_CHALLENGE, self.digest, data, self.group.wide_size)
            return self.group.scalars_from_wide(np.frombuffer(wide, np.uint8).reshape(1, -1))

        return challenge

    def nonce(self, scalar: Rows, random: bytes, statement: Statement) -> Rows:
        """A nonce that stays secret if the random octets repeat: of them, the secret and the statement.

        One that was used for two challenges would give the secret away.
        """
        data = self.digest + statement.bases.tobytes() + statement.images.tobytes()
        wide = expand(Label.AUDIT_NONCE, scalar.tobytes() + random, data, self.group.wide_size)
        return self.group.scalars_from_wide(np.frombuffer(wide, np.uint8).reshape(1, -1))

    def prove(self, key: Rows, weighted: Rows, scalar: Rows, rng: Rng) -> Proof:
        """Prove `key` = scalar·G and that the weighted images are scalar times `weighted` (1, element_size)."""
        random = rng(RANDOM_SIZE)
        if len(random) != RANDOM_SIZE:
            raise CallerError("the source of randomness gave another number of octets than was asked for")
        statement = self.statement(key, weighted, self.group.multiply(scalar, weighted))
        nonce = self.nonce(scalar, random, statement)
        return prove(self.group, statement, scalar, nonce, self.challenge(statement))

    def verify(self, key: Rows, weighted: Rows, images: Rows, proof: Proof) -> bool:
        """Whether `images`, the weighted sum of the images, is by the proof to `weighted` as `key` is to G."""
        statement = self.statement(key, weighted, images)
        return verify(self.group, statement, proof, self.challenge(statement))

    def statement(self, key: Rows, weighted: Rows, images: Rows) -> Statement:
        """(G, weighted) and (key, images)."""
        generator = self.group.multiply_base(self.group.encode_scalars([1]))
        return Statement(np.concatenate([generator, weighted]), np.concatenate([key, images]))
