"""The Merkle tree of the log and its proofs: RFC 9162, section 2.1 (specification, section 16.1)."""

from collections.abc import Iterable, Sequence
from itertools import islice

from tpsi import merkle
from tpsi.errors import CallerError, VerificationError
from tpsi.merkle import DIGEST_SIZE, node_digest

#: A path has one digest a level, and no tree has more than 2^53 leaves.
MAX_PROOF = 64


class Tree:
    """The leaves appended so far, with every complete subtree: a proof costs a logarithm of digests.

    It holds about two digests a leaf. Sizes up to that of now can be asked for, as if no leaf had come since.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add a leaf digest (`merkle.leaf_digest` of the entry)."""
        digest, level = leaf, 0
        while True:
            self._levels[level].append(digest)
            if len(self._levels[level]) % 2:
                return
            digest = node_digest(self._levels[level][-2], digest)
            level += 1
            if level == len(self._levels):
                self._levels.append([])

    def leaf(self, index: int) -> bytes:
        """A leaf digest."""
        return self._levels[0][index]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves, by default all."""
        size = self._checked(len(self) if size is None else size)
        return self._subtree(0, size) if size else merkle.root(())

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]): what proves that leaf `index` is in the tree of `size` leaves."""
        if not 0 <= index < self._checked(size):
            raise CallerError(f"a tree of {size} leaves has no leaf {index}")
        path: list[bytes] = []
        start, length = 0, size
        while length > 1:
            split = _split(length)
            if index - start < split:
                path.append(self._subtree(start + split, length - split))
                length = split
            else:
                path.append(self._subtree(start, split))
                start, length = start + split, length - split
        return path[::-1]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """PROOF(first, D[second]): what proves that the tree of `first` leaves is the beginning of that of `second`."""
        if not 0 <= first <= self._checked(second):
            raise CallerError(f"a tree of {second} leaves does not begin with one of {first}")
        path: list[bytes] = []
        start, length, whole = 0, second, True
        while 0 < first - start < length:
            split = _split(length)
            if first - start <= split:
                path.append(self._subtree(start + split, length - split))
                length = split
            else:
                path.append(self._subtree(start, split))
                start, length, whole = start + split, length - split, False
        if not whole:
            path.append(self._subtree(start, length))
        return path[::-1]

    def _subtree(self, start: int, length: int) -> bytes:
        """The root over `length` leaves from `start` on; a power of two of at least `length` divides `start`."""
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return self._levels[level][start >> level]
        split = _split(length)
        return node_digest(self._subtree(start, split), self._subtree(start + split, length - split))

    def _checked(self, size: int) -> int:
        if not 0 <= size <= len(self):
            raise CallerError(f"the tree has {len(self)} leaves, not {size}")
        return size


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """VerificationError unless the path proves the leaf digest in this place of the tree (RFC 9162, 2.1.3.2)."""
    _check_path(path)
    place, last, found = index, size - 1, leaf
    if not 0 <= place <= last:
        raise VerificationError(f"a tree of {size} leaves has no leaf {index}")
    for node in path:
        if last == 0:
            raise VerificationError("the inclusion proof is too long")
        if place & 1 or place == last:
            found = node_digest(node, found)
            place, last = _up_to_right_child(place, last)
        else:
            found = node_digest(found, node)
        place, last = place >> 1, last >> 1
    if last != 0 or found != root:
        raise VerificationError("the inclusion proof does not lead to the tree's root")


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> None:
    """VerificationError unless the path proves that the second tree begins with the first (RFC 9162, 2.1.4.2)."""
    _check_path(path)
    if not 0 <= first <= second:
        raise VerificationError(f"a tree of {second} leaves does not begin with one of {first}")
    if first in (0, second):
        if path or first_root != (merkle.root(()) if first == 0 else second_root):
            raise VerificationError("the two trees have one size and differ, or the empty tree is not empty")
        return
    nodes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not nodes:
        raise VerificationError("the consistency proof is empty")
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for node in islice(nodes, 1, None):
        if last == 0:
            raise VerificationError("the consistency proof is too long")
        if place & 1 or place == last:
            old, new = node_digest(node, old), node_digest(node, new)
            place, last = _up_to_right_child(place, last)
        else:
            new = node_digest(new, node)
        place, last = place >> 1, last >> 1
    if last != 0 or old != first_root or new != second_root:
        raise VerificationError("the consistency proof does not lead to the two trees' roots")


def _up_to_right_child(place: int, last: int) -> tuple[int, int]:
    """Go up over the levels at which a last node without a sibling just moves up."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _split(length: int) -> int:
    """The largest power of two below `length`."""
    return int(1 << (length - 1).bit_length() - 1)


def _check_path(path: Sequence[bytes]) -> None:
    if len(path) > MAX_PROOF or any(len(node) != DIGEST_SIZE for node in path):
        raise VerificationError(f"a proof has at most {MAX_PROOF} digests of {DIGEST_SIZE} octets")
