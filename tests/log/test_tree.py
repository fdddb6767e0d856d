"""The log's tree: the examples of RFC 9162, known roots, and proofs that hold for what they prove and nothing else."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi import CallerError, DecodeError, VerificationError
from tpsi.log import Frontier, Tree, verify_consistency, verify_inclusion
from tpsi.merkle import leaf_digest, node_digest, root

#: Inputs and roots that implementations of RFC 6962 and RFC 9162 have tested against since the first of them.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN = Tree(leaf_digest(bytes.fromhex(text)) for text in INPUTS)
LEAVES = [leaf_digest(bytes([number])) for number in range(70)]
TREE = Tree(LEAVES)


def test_the_known_roots() -> None:
    assert [KNOWN.root(size).hex() for size in range(1, 9)] == ROOTS
    assert KNOWN.root(0) == hashlib.sha256(b"").digest()


def test_the_example_of_rfc_9162_section_2_1_5() -> None:
    """The tree of seven leaves with the names of its nodes, and the proofs that the RFC reads off it."""
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_digest(a, b), node_digest(c, d), node_digest(e, f)
    k, m = node_digest(g, h), node_digest(i, j)
    seven = Tree(LEAVES[:7])
    assert seven.root() == node_digest(k, m)
    assert seven.inclusion(0, 7) == [b, h, m]
    assert seven.inclusion(3, 7) == [c, g, m]
    assert seven.inclusion(4, 7) == [f, j, k]
    assert seven.inclusion(6, 7) == [i, k]
    assert seven.consistency(3, 7) == [c, d, g, m]
    assert seven.consistency(4, 7) == [m]
    assert seven.consistency(6, 7) == [i, j, k]


@given(st.integers(0, 70))
@settings(deadline=None)
def test_roots_are_those_of_the_digest_tree_of_tables(size: int) -> None:
    assert TREE.root(size) == root(LEAVES[:size]) == Tree(LEAVES[:size]).root()


def test_a_frontier_has_the_root_of_the_tree_at_every_size() -> None:
    frontier = Frontier()
    for size in range(len(LEAVES)):
        assert frontier.root == TREE.root(size)
        assert Frontier.decode(frontier.encode()) == frontier
        frontier = frontier.with_leaf(LEAVES[size])
    assert (frontier.size, frontier.root) == (len(LEAVES), TREE.root())


@pytest.mark.parametrize(
    "text", ["+0", "0_0", "1 " + "AB" * 32, "", "x", "1", "3 " + 64 * "0", "1 00", "-1 " + 64 * "0", "0 " + 64 * "0"]
)
def test_what_is_no_frontier_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        Frontier.decode(text)


def test_every_proof_of_every_small_tree_holds() -> None:
    for size in range(1, 34):
        for index in range(size):
            verify_inclusion(LEAVES[index], index, size, TREE.root(size), TREE.inclusion(index, size))
        for first in range(size + 1):
            proof = TREE.consistency(first, size)
            verify_consistency(first, TREE.root(first), size, TREE.root(size), proof)


def refuses_inclusion(leaf: bytes, index: int, size: int, of: bytes, path: list[bytes]) -> None:
    with pytest.raises(VerificationError):
        verify_inclusion(leaf, index, size, of, path)


@given(st.data())
@settings(deadline=None)
def test_an_inclusion_proof_proves_one_leaf_in_one_place_of_one_tree(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    path, leaf, top = TREE.inclusion(index, size), LEAVES[index], TREE.root(size)
    refuses_inclusion(LEAVES[(index + 1) % size], index, size, top, path)
    refuses_inclusion(leaf, data.draw(st.integers(-1, 70).filter(lambda other: other != index)), size, top, path)
    refuses_inclusion(leaf, index, size, TREE.root(size - 1), path)
    refuses_inclusion(leaf, index, size, top, path[:-1])
    refuses_inclusion(leaf, index, size, top, [*path, top])
    spoiled = data.draw(st.integers(0, len(path) - 1))
    refuses_inclusion(leaf, index, size, top, [*path[:spoiled], bytes(32), *path[spoiled + 1 :]])
    refuses_inclusion(leaf, index, size, top, [*path[:spoiled], path[spoiled][:-1], *path[spoiled + 1 :]])


@given(st.data())
@settings(deadline=None)
def test_a_consistency_proof_proves_one_beginning_of_one_tree(data: st.DataObject) -> None:
    second = data.draw(st.integers(2, 70))
    first = data.draw(st.integers(1, second - 1))
    path, old, new = TREE.consistency(first, second), TREE.root(first), TREE.root(second)
    forked = Tree([*LEAVES[: first - 1], leaf_digest(b"another"), *LEAVES[first:second]])
    cases = [
        (first, forked.root(first), second, new, path),
        (first, old, second, forked.root(second), path),
        (first, old, second, forked.root(second), forked.consistency(first, second)),
        (first, old, second, new, path[:-1]),
        (first, old, second, new, [*path, new]),
        (first, old, second, new, []),
        (second, new, first, old, path),
        (second, old, second, new, []),
        (0, old, second, new, []),
    ]
    for case in cases:
        with pytest.raises(VerificationError):
            verify_consistency(*case)


def test_a_proof_of_absurd_length_is_refused_before_anything_is_computed() -> None:
    refuses_inclusion(LEAVES[0], 0, 2**53 - 1, TREE.root(1), [bytes(32)] * 65)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 71), (0, 0)])
def test_proofs_of_what_is_not_there_cannot_be_asked_for(index: int, size: int) -> None:
    with pytest.raises(CallerError):
        TREE.inclusion(index, size)


@pytest.mark.parametrize(("first", "second"), [(-1, 3), (4, 3), (1, 71)])
def test_consistency_with_what_is_not_there_cannot_be_asked_for(first: int, second: int) -> None:
    with pytest.raises(CallerError):
        TREE.consistency(first, second)
