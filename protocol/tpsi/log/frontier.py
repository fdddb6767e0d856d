"""The frontier of a tree: what is needed to append to it and to know its root, a logarithm of digests."""

from dataclasses import dataclass
from typing import Self

from tpsi import merkle
from tpsi.errors import DecodeError
from tpsi.merkle import DIGEST_SIZE, node_digest


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves by the roots of its complete subtrees, the largest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count() or any(len(n) != DIGEST_SIZE for n in self.nodes):
            raise DecodeError("a tree has one complete subtree for each bit of its size")

    def with_leaf(self, leaf: bytes) -> Self:
        """The tree with one leaf digest more."""
        nodes, digest, size = list(self.nodes), leaf, self.size
        while size & 1:
            digest, size = node_digest(nodes.pop(), digest), size >> 1
        return type(self)(self.size + 1, (*nodes, digest))

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        if not self.nodes:
            return merkle.root(())
        *larger, found = self.nodes
        for node in reversed(larger):
            found = node_digest(node, found)
        return found

    def encode(self) -> str:
        """One line of text, to be kept."""
        return " ".join([str(self.size), *(node.hex() for node in self.nodes)])

    @classmethod
    def decode(cls, text: str) -> Self:
        """Inverse of `encode`; DecodeError for anything else."""
        size, *nodes = text.split(" ")
        try:
            frontier = cls(int(size), tuple(map(bytes.fromhex, nodes)))
        except ValueError:
            raise DecodeError("this is no frontier of a tree") from None
        if frontier.encode() != text:
            raise DecodeError("a frontier of a tree is not in its one form")
        return frontier
