"""Evidence of a fork: two checkpoints that one server signed and that cannot both be true (specification, 16.4)."""

from dataclasses import dataclass
from typing import Self

from tpsi import canonical, members
from tpsi.errors import CallerError, DecodeError, VerificationError
from tpsi.log.checkpoint import Checkpoint, SignedCheckpoint
from tpsi.log.tree import MAX_PROOF, Tree, verify_consistency
from tpsi.merkle import DIGEST_SIZE
from tpsi.signing import PUBLIC_KEY_SIZE

VERSION = 1
MAX_EVIDENCE = 16_384


@dataclass(frozen=True)
class Fork:
    """Two signed checkpoints of one log, the shorter first, and what shows that they contradict each other.

    Of one size, they do if their roots differ. Otherwise `prefix` is the root that the second log has at the first
    one's size, with the consistency proof that says so; without it there is nothing but the suspicion.
    """

    server_key: bytes
    first: SignedCheckpoint
    second: SignedCheckpoint
    prefix: bytes | None = None
    proof: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.server_key) != PUBLIC_KEY_SIZE:
            raise CallerError("a server key has 32 octets")
        if self.first.checkpoint.size > self.second.checkpoint.size:
            raise CallerError("the shorter checkpoint comes first")

    @classmethod
    def between(cls, server_key: bytes, one: SignedCheckpoint, other: SignedCheckpoint, tree: Tree | None) -> Self:
        """Evidence from two checkpoints and, if it is known, the tree of the longer one."""
        first, second = sorted((one, other), key=lambda signed: signed.checkpoint.size)
        size = first.checkpoint.size
        if tree is None or size == second.checkpoint.size:
            return cls(server_key, first, second)
        proof = tree.consistency(size, second.checkpoint.size)
        return cls(server_key, first, second, tree.root(size), tuple(proof))

    def verify(self) -> tuple[Checkpoint, Checkpoint]:
        """The two checkpoints, if they prove that the holder of the key showed two logs; else VerificationError."""
        list_id = self.first.checkpoint.list_id
        first, second = (one.verify(self.server_key, list_id) for one in (self.first, self.second))
        if first.size == second.size:
            if first.root == second.root:
                raise VerificationError("the two checkpoints are the same: no fork")
            return first, second
        if self.prefix is None:
            raise VerificationError(
                "two checkpoints of different sizes prove no fork by themselves: the server owes the proof that one "
                "continues the other"
            )
        if self.prefix == first.root:
            raise VerificationError("the second checkpoint continues the first: no fork")
        verify_consistency(first.size, self.prefix, second.size, second.root, self.proof)
        return first, second

    def encode(self) -> bytes:
        """The octets of an evidence file."""
        return canonical.encode(
            {
                "tpsi_fork": VERSION,
                "server_key": self.server_key.hex(),
                "first": self.first.encode().decode(),
                "second": self.second.encode().decode(),
                "prefix": None if self.prefix is None else self.prefix.hex(),
                "proof": [node.hex() for node in self.proof],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else. Nothing is verified by it."""
        value = canonical.decode(data, "the evidence of a fork", MAX_EVIDENCE)
        try:
            fork = cls(
                members.octets(value["server_key"]),
                SignedCheckpoint.decode(members.text(value["first"]).encode()),
                SignedCheckpoint.decode(members.text(value["second"]).encode()),
                members.octets_or_none(value["prefix"]),
                tuple(members.each(value["proof"], members.octets)),
            )
        except (KeyError, TypeError, ValueError):
            raise DecodeError("the evidence of a fork is malformed") from None
        nodes = [*fork.proof, *(() if fork.prefix is None else (fork.prefix,))]
        if len(fork.proof) > MAX_PROOF or any(len(node) != DIGEST_SIZE for node in nodes) or fork.encode() != data:
            raise DecodeError("the evidence of a fork is not in canonical form")
        return fork
