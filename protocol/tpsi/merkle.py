"""The digest tree of a table file: the Merkle tree of RFC 9162, section 2.1.1 (specification, section 4.4)."""

import hashlib
from collections.abc import Iterable, Sequence

CHUNK_SIZE = 65_536
DIGEST_SIZE = 32


def leaf_digest(chunk: bytes) -> bytes:
    """The tree's leaf for one chunk of the file."""
    return hashlib.sha256(b"\x00" + chunk).digest()


def node_digest(left: bytes, right: bytes) -> bytes:
    """The node above two."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf digests; for none, SHA-256 of the empty string.

    Pairs are joined level by level and an odd last one moves up: the same tree as the RFC's recursive definition.
    """
    level = list(leaves)
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        joined = [node_digest(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = joined + level[len(level) - len(level) % 2 :]
    return level[0]


def chunk_count(size: int) -> int:
    """How many chunks a file of `size` octets has."""
    return -(-size // CHUNK_SIZE)


def leaves_of(chunks: Iterable[bytes]) -> list[bytes]:
    """Leaf digests of the chunks of a file, in order."""
    return [leaf_digest(chunk) for chunk in chunks]
