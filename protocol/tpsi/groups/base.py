"""The batch-first interface that every ciphersuite's group stands behind (specification, section 2.1).

Elements and scalars travel as `numpy` arrays of `uint8`, one row each, so that a native core can replace a
loop without a caller noticing. Inside a computation the identity is a row of zeros; it never enters or leaves
a process.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Rows of `uint8`: encoded elements `(n, element_size)`, encoded scalars `(n, scalar_size)`, or other strings
#: of one size.
Rows: TypeAlias = NDArray[np.uint8]

#: Strings of octets: rows of one length, or `bytes` of any.
Strings: TypeAlias = Rows | Sequence[bytes]

#: A source of uniform octets: `rng(n)` returns n of them. `secrets.token_bytes` is the default everywhere.
Rng: TypeAlias = Callable[[int], bytes]

#: Told now and then how much is done, of how much.
Done: TypeAlias = Callable[[int, int], None]


class Probed(NamedTuple):
    """n items and what a table holds for them: `messages`, hashed under `dst`; `cells` (n, arity, element_size)."""

    messages: Sequence[bytes]
    dst: bytes
    cells: Rows


class Slots(NamedTuple):
    """The two products of slots, one for each of the c candidates of n items (specification, section 7.3).

    `q`, `s` (n, c, element_size); `good` (n, c): False marks a bad candidate, whose Q is γ·G, as in a random slot, and
    whose S is to be ignored.
    """

    q: Rows
    s: Rows
    good: NDArray[np.bool_]


class Equations(NamedTuple):
    """A fuse table's equations `T[own] = (V − T[others 0]) − T[others 1]`, in the order in which they are solved.

    `own` (n,): before, these cells hold V; `others` (n, 2). `rounds`: how many follow each other of which none has
    another's cell, so that they may be solved together; they add up to n.
    """

    own: NDArray[np.signedinteger[Any]]
    others: NDArray[np.signedinteger[Any]]
    rounds: Sequence[int]


class Group(Protocol):
    """A group of prime order. In the methods, an argument of one row stands for as many as the other has.

    Methods that take elements accept valid elements and, as intermediate values, the identity (a row of
    zeros); anything else raises ElementError. Elements from outside go through `valid` first. Arrays of
    another shape or type, and scalars that are not below the order, raise CallerError. Results are new
    arrays.
    """

    backend: str  # "native" or "library": what `group` was asked for, or found
    engine: str  # what computes, for people
    suite: str  # the ciphersuite's name, as in the specification
    order: int
    element_size: int  # Ne, in octets
    scalar_size: int  # Ns, in octets
    wide_size: int  # uniform octets that make one scalar

    def hash_to_group(self, messages: Sequence[bytes], dst: bytes) -> Rows:
        """(n, element_size): the suite's RFC 9380 hash of every message under the tag `dst`."""
        ...

    def valid(self, elements: Rows) -> NDArray[np.bool_]:
        """(n,): which rows are canonical encodings of non-identity elements. Never raises for content."""
        ...

    def scalars_from_wide(self, wide: Rows) -> Rows:
        """(n, scalar_size): rows of `wide_size` uniform octets reduced modulo the order."""
        ...

    def random_scalars(self, count: int, rng: Rng) -> Rows:
        """(count, scalar_size): uniform, non-zero. Draws `wide_size` octets each, and again for a zero."""
        ...

    def multiply(self, scalars: Rows, elements: Rows) -> Rows:
        """(n, element_size): scalar times element, row by row. Zero or the identity gives the identity."""
        ...

    def multiply_untrusted(self, scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """As `multiply`, for elements from outside: products, and (n,) which elements were valid. Others give zeros.

        For as many elements as the result has rows; the identity is not valid, as in `valid`.
        """
        ...

    def multiply_base(self, scalars: Rows) -> Rows:
        """(n, element_size): scalar times G."""
        ...

    def add(self, left: Rows, right: Rows) -> Rows:
        """(n, element_size): sums, row by row."""
        ...

    def add_untrusted(self, left: Rows, right: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """As `add`, for cells from outside: sums, and (n,) where both were elements or the identity. Others give zeros.

        left and right have the same number of rows.
        """
        ...

    def subtract(self, left: Rows, right: Rows) -> Rows:
        """(n, element_size): differences, row by row."""
        ...

    def blind(self, scalar: Rows, messages: Sequence[bytes], dst: bytes) -> Rows:
        """(n, element_size): the one scalar times the hash of every message."""
        ...

    def candidates(self, cells: Rows, count: int) -> tuple[Rows, NDArray[np.bool_]]:
        """(n, count, element_size) and (n, count): the candidates that cells give, and which are good (section 4).

        `cells` (n, arity, element_size), from outside. `count` is 1 if they are summed, arity if each is a candidate.
        Never raises for the content of a cell.
        """
        ...

    def seal(self, probed: Probed, betas: Rows, gammas: Rows, key: Rows) -> Slots:
        """Q = β·H(message) + γ·G and S = β·candidate + γ·key for every candidate (sections 7.3 and 7.4).

        `cells` of `probed` as in `candidates`; `betas`, `gammas` (n, count, scalar_size); `key` (1, element_size).
        """
        ...

    def solve(self, cells: Rows, equations: Equations, done: Done) -> None:
        """Solve, in place, the assigned cells of a fuse table (section 4.2). All others hold their fill.

        In variable time. Raises ElementError, and leaves the cells in no state to be used, if one is not an element.
        """
        ...

    def weighted_sum(self, scalars: Rows, elements: Rows) -> Rows:
        """(1, element_size): the sum of scalar times element over all rows; of none, the identity.

        For public values: the time it takes may depend on them.
        """
        ...

    def encode_scalars(self, values: Sequence[int]) -> Rows:
        """(n, scalar_size): integers modulo the order, in the suite's byte order."""
        ...

    def decode_scalars(self, scalars: Rows) -> list[int]:
        """Inverse of `encode_scalars`; a value that is not below the order raises DecodeError."""
        ...
