"""Checks and helpers on rows of octets that the groups share."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.groups.base import Group, Rng, Rows, Strings

#: A zero scalar is drawn with probability 2^-252, so a second round of draws is never seen; a source that
#: still gives one after this many rounds is broken, and drawing on would not end.
MAX_DRAWS: Final = 8


def require_rows(rows: Rows, width: int, what: str) -> Rows:
    """The same rows, contiguous; CallerError unless they are a `uint8` array of shape (n, width)."""
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8:
        raise CallerError(f"{what} are to be a numpy array of uint8")
    if rows.ndim != 2 or rows.shape[1] != width:
        raise CallerError(f"{what} are to have the shape (n, {width}), this array has {rows.shape}")
    return np.ascontiguousarray(rows)


def pair_count(left: NDArray[Any], right: NDArray[Any]) -> int:
    """How many results two arguments give, one row standing for any number; else CallerError."""
    if len(left) != len(right) and 1 not in (len(left), len(right)):
        raise CallerError(f"{len(left)} rows do not pair with {len(right)}: the same number, or one")
    return len(right) if len(left) == 1 else len(left)


def below(big_endian: Rows, bound: int) -> NDArray[np.bool_]:
    """(n,): which rows of 32 octets are, read as big-endian integers, below `bound`."""
    words = np.ascontiguousarray(big_endian).view(">u8")
    less = np.zeros(len(words), dtype=np.bool_)
    equal = np.ones(len(words), dtype=np.bool_)
    for column, word in enumerate(np.frombuffer(bound.to_bytes(32, "big"), dtype=">u8")):
        less |= equal & (words[:, column] < word)
        equal &= words[:, column] == word
    return less


def join_rows(encodings: Sequence[bytes], width: int) -> Rows:
    """(n, width): one row for every string of `width` octets. The array is writable and owns its octets."""
    return np.frombuffer(bytearray().join(encodings), dtype=np.uint8).reshape(len(encodings), width)


def split_rows(rows: Rows) -> list[bytes]:
    """Inverse of `join_rows`."""
    joined, (count, width) = rows.tobytes(), rows.shape
    return [joined[i * width : (i + 1) * width] for i in range(count)]


def strings(octets: Strings) -> Sequence[bytes]:
    """Strings of octets one by one."""
    return split_rows(octets) if isinstance(octets, np.ndarray) else octets


def contiguous(octets: Strings) -> Strings:
    """The same, rows one after another in memory."""
    return np.ascontiguousarray(octets) if isinstance(octets, np.ndarray) else octets


def beside(*parts: bytes | Rows) -> Rows:
    """(n, …): rows next to each other, with strings that are the same in all of them; one part at least is of rows."""
    rows = [np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part for part in parts]
    ends = np.cumsum([part.shape[-1] for part in rows]).tolist()
    joined = np.empty((next(len(part) for part in rows if part.ndim == 2), ends[-1]), np.uint8)
    for part, end in zip(rows, ends, strict=True):
        joined[:, end - part.shape[-1] : end] = part
    return joined


def draw_scalars(group: Group, count: int, rng: Rng) -> Rows:
    """(count, scalar_size): uniform, non-zero scalars; CallerError if `rng` is not a source of randomness."""
    if count < 0:
        raise CallerError(f"cannot draw {count} scalars")
    scalars = np.zeros((count, group.scalar_size), dtype=np.uint8)
    for _ in range(MAX_DRAWS):
        zeros = np.flatnonzero(~scalars.any(axis=1))
        if not len(zeros):
            return scalars
        wide = rng(len(zeros) * group.wide_size)
        if len(wide) != len(zeros) * group.wide_size:
            raise CallerError("the source of randomness gave another number of octets than was asked for")
        scalars[zeros] = group.scalars_from_wide(np.frombuffer(wide, np.uint8).reshape(-1, group.wide_size))
    raise CallerError("the source of randomness gives nothing but zeros")
