"""Batched operations for tpsi; `tpsi.groups` and `tpsi.bulk` are the interfaces for everybody else.

Rows are C-contiguous `numpy` arrays of `uint8` with shape (n, 32); where two arguments are paired, an array of one
row stands for as many as the other has. Scalars are little-endian. The identity's encoding, 32 zeros, is accepted.
ValueError for arrays that do not fit each other, ScalarError for scalars that are not below the order.
Constant time: everything but `solve` and `weighted_sum`, as far as the values of scalars and of valid elements go.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Rows of one length, or `bytes` of any.
_Strings: TypeAlias = NDArray[np.uint8] | Sequence[bytes]

INTERFACE: Final[int]
__version__: Final[str]

class ElementError(ValueError):
    """A row is not the canonical encoding of an element."""

class ScalarError(ValueError):
    """A scalar is not below the group's order."""

def engine() -> str:
    """What computes on this machine."""

def set_threads(count: int) -> None:
    """Spread batches over so many threads, 1 to 256, from now on."""

def get_threads() -> int:
    """What was set, else TPSI_NATIVE_THREADS, else one for each processor that this process may use."""

def hash_to_group(messages: _Strings, dst: bytes) -> NDArray[np.uint8]:
    """ristretto255_XMD:SHA-512_R255MAP_RO_ of every message under a tag."""

def blind(scalar: NDArray[np.uint8], messages: _Strings, dst: bytes) -> NDArray[np.uint8]:
    """scalar (1, 32) times the hash of every message."""

def valid(elements: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,): which rows are canonical encodings, be it of the identity."""

def scalars_from_wide(wide: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows of 64 octets, modulo the order."""

def multiply(scalars: NDArray[np.uint8], elements: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Products, and which elements were encodings; the products of others are zeros."""

def multiply_base(scalars: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiples of the generator."""

def combine(
    left: NDArray[np.uint8], right: NDArray[np.uint8], subtract: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Sums or differences, and where both were encodings; others are zeros."""

def seal(
    messages: _Strings,
    dst: bytes,
    cells: NDArray[np.uint8],
    summed: bool,
    betas: NDArray[np.uint8],
    gammas: NDArray[np.uint8],
    key: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """Q, S and whether the candidate is good, for every slot (specification, sections 7.3 and 7.4).

    `cells` (n·a, 32): a cells for each of the n messages. They are summed to one candidate, or each is one. As many
    scalars of either kind as candidates. For a bad candidate Q is gamma·G, and S is to be ignored.
    """

def solve(
    cells: NDArray[np.uint8],
    own: NDArray[np.uint32],
    others: NDArray[np.uint32],
    progress: Callable[[int, int], object] | None,
) -> None:
    """Solve a fuse table's equations in place: `cells[own] = (cells[own] − cells[others 0]) − cells[others 1]`.

    `own` (n,), `others` (n, 2), in the order in which the equations are solved. ElementError if a cell is not an
    encoding; ValueError if the equations do not fit the table. `progress(done, of)` is called now and then.
    """

def weighted_sum(scalars: NDArray[np.uint8], elements: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(1, 32): the sum of all products. ElementError if a row is not an encoding."""

def derive_keys(label: bytes, secrets: _Strings, salt: bytes, infos: _Strings) -> NDArray[np.uint8]:
    """(n, 32): HKDF-SHA-256 with the info `label ‖ info`; one secret or info stands for as many as there are others."""

def hash_texts(size: int, key: bytes, person: bytes, texts: _Strings) -> NDArray[np.uint8]:
    """(n, size): keyed BLAKE2b."""

def seal_texts(keys: NDArray[np.uint8], texts: NDArray[np.uint8], associated: _Strings) -> NDArray[np.uint8]:
    """(n, size + 16): ChaCha20-Poly1305 with the zero nonce under keys (n, 32), each of which seals one text.

    Of m associated data, m dividing n, each belongs to n/m consecutive texts.
    """

def open_texts(keys: NDArray[np.uint8], texts: _Strings, associated: _Strings) -> list[bytes | None]:
    """Inverse of `seal_texts`; None for a text that does not open."""

def shares(polynomials: NDArray[np.uint64], hashes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, 8·(u + 1)): coordinates from hashes (n, 16), and there polynomials (u, t + 1), constants first, below p."""
