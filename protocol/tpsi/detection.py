"""Telling the real shares of a pool from others, and learning its secret (specification, section 9)."""

import secrets
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tpsi import field
from tpsi.decoding import WORK_LIMIT, decode, work
from tpsi.errors import CallerError
from tpsi.field import Elements
from tpsi.groups.base import Rng
from tpsi.parameters import Sharing
from tpsi.secret import Secret

Mask: TypeAlias = NDArray[np.bool_]

#: (secret: u encoded field elements, indices of the shares on its curve) → does associated data of one open?
Opens: TypeAlias = Callable[[bytes, Sequence[int]], bool]

_SHRINK = 4  # each set tried is this much smaller than the next: all together cost a fifteenth of the last


class Outcome(Enum):
    """What is known of a pool."""

    BELOW_THRESHOLD = "below the threshold"
    UNDECIDED = "undecided"
    REVEALED = "revealed"


@dataclass(frozen=True, repr=False, eq=False)
class Curve:
    """The u sharing polynomials: coefficients (u, t + 1), constants first. The constants are the secret."""

    coefficients: Elements

    @property
    def secret(self) -> Secret:
        """p_0(0) ‖ … ‖ p_{u−1}(0), encoded."""
        return Secret(field.encode(self.coefficients[:, 0]))

    def contains(self, xs: Elements, rows: Elements) -> Mask:
        """(n,): whether each share, x of (n,) and row of (n, u), lies on the curve."""
        on_curve: Mask = field.evaluate(self.coefficients[:1], xs)[:, 0] == rows[:, 0]
        rest = np.flatnonzero(on_curve)  # the other rows matter only where the first agrees
        on_curve[rest] = (field.evaluate(self.coefficients[1:], xs[rest]) == rows[rest, 1:]).all(axis=1)
        return on_curve

    def __repr__(self) -> str:
        rows, terms = self.coefficients.shape
        return f"<Curve of {rows} rows, degree at most {terms - 1}>"


@dataclass(frozen=True, eq=False)
class Detection:
    """The result for n input shares. Masks are (n,); copies of a share have the same marks.

    If the outcome is REVEALED, every share is one of `real`, `rejected` and `conflicting`. Otherwise `curve` is
    None, and no share is marked real or rejected.
    """

    outcome: Outcome
    curve: Curve | None
    real: Mask
    rejected: Mask
    conflicting: Mask  # one coordinate, different rows: set aside whatever the outcome
    distinct: int  # N, the shares that are left after copies and conflicts
    tried: int  # the largest set that was tried: below `distinct` if undecided for the bound on work


@dataclass(frozen=True, repr=False, eq=False)
class _Pool:
    xs: Elements  # (N,), distinct
    rows: Elements  # (N, u)
    position: NDArray[np.intp]  # (n,): where an input share stands among the N; −1 if it conflicts


def detect(
    xs: Elements,
    rows: Elements,
    threshold: int,
    opens: Opens,
    *,
    rng: Rng = secrets.token_bytes,
    limit: int = WORK_LIMIT,
) -> Detection:
    """Find the curve that more than t = `threshold` of the shares lie on, and which ones do: all, and only they.

    xs is (n,) with 0 < x < p, and rows (n, u) with values below p, both of uint64. Copies of a share count once.
    A curve is believed if and only if more than t of the N distinct shares lie on it and `opens` says yes to its
    secret. It is asked about no curve twice, and about one at most for each of up to 1 + log_4 N sets tried.

    A pool of which a shares are real and e are not is revealed

    - if e ≤ a − t − 1, whatever the others are (unless `opens` says yes to another curve of theirs first);
    - if e ≤ u·(a − t − 1) and they are random;

    but for a probability below N·(t + 2)/p. This needs that `limit` admits all N shares, or that the like holds for
    a random subset that it admits. A set of n shares takes time of the order of u·n·(n + t); to classify all
    shares by a curve takes N·u·t.

    Raises CallerError for wrong shapes, types or ranges.
    """
    _check(xs, rows, threshold, limit)
    pool = _merge(xs, rows)
    order = np.argsort(np.frombuffer(rng(8 * len(pool.xs)), ">u8"), kind="stable")
    start = int.from_bytes(rng(16), "big") % field.P
    return _detect(pool, threshold, opens, order=order, start=start, limit=limit)


def _detect(pool: _Pool, threshold: int, opens: Opens, *, order: NDArray[np.intp], start: int, limit: int) -> Detection:
    """`detect` with the order in which shares are tried, and the decoder's field element, given."""
    if len(pool.xs) <= threshold:
        return _result(Outcome.BELOW_THRESHOLD, pool, None, None, tried=0)
    tried = 0
    refused: set[bytes] = set()
    for tried in _sizes(len(pool.xs), pool.rows.shape[1], threshold, limit):
        subset = order[:tried]
        coefficients = decode(pool.xs[subset], pool.rows[subset], threshold, start)
        if coefficients is None or coefficients.tobytes() in refused:
            continue
        curve = Curve(coefficients)
        on_curve = curve.contains(pool.xs, pool.rows)
        if np.count_nonzero(on_curve) <= threshold:
            continue
        if opens(curve.secret.reveal(), np.flatnonzero(_spread(on_curve, pool)).tolist()):
            return _result(Outcome.REVEALED, pool, curve, on_curve, tried)
        refused.add(coefficients.tobytes())
    return _result(Outcome.UNDECIDED, pool, None, None, tried)


def _sizes(count: int, rows: int, threshold: int, limit: int) -> list[int]:
    """How many shares to try, smallest first; the last is all of them, or as many as the limit allows."""
    size = bisect_right(range(1, count + 1), limit, key=lambda number: work(number, rows, threshold))
    sizes = [size] if size > threshold else []
    while sizes and sizes[0] // _SHRINK >= 2 * (threshold + 1):
        sizes.insert(0, sizes[0] // _SHRINK)
    return sizes


def _check(xs: Elements, rows: Elements, threshold: int, limit: int) -> None:
    if xs.dtype != np.uint64 or rows.dtype != np.uint64:
        raise CallerError("shares are arrays of uint64")
    if xs.ndim != 1 or rows.ndim != 2 or len(xs) != len(rows):
        raise CallerError("shares are n coordinates and n rows of u values")
    Sharing(threshold, rows.shape[1])  # their ranges
    if limit < 1:
        raise CallerError("the limit on work is positive")
    if np.any(xs == 0) or np.any(xs >= field.P) or np.any(rows >= field.P):
        raise CallerError("a share has a coordinate 0 or a value that is not a field element")


def _merge(xs: Elements, rows: Elements) -> _Pool:
    """Copies become one share; shares of one coordinate that differ are left out."""
    shares, where = np.unique(np.column_stack([xs, rows]), axis=0, return_inverse=True)
    same = shares[1:, 0] == shares[:-1, 0]  # they are sorted by coordinate
    kept = ~(np.append(same, False) | np.append(False, same)) if len(shares) else np.zeros(0, np.bool_)
    position = np.where(kept, np.cumsum(kept) - 1, -1)[where.reshape(-1)]
    return _Pool(shares[kept, 0], np.ascontiguousarray(shares[kept, 1:]), position)


def _spread(mask: Mask, pool: _Pool) -> Mask:
    """The mask (N,) of distinct shares, over the input (n,)."""
    return np.append(mask, False)[pool.position]


def _result(outcome: Outcome, pool: _Pool, curve: Curve | None, on_curve: Mask | None, tried: int) -> Detection:
    conflicting = pool.position < 0
    real = np.zeros(len(conflicting), np.bool_) if on_curve is None else _spread(on_curve, pool)
    rejected = np.zeros_like(real) if on_curve is None else ~(real | conflicting)
    return Detection(outcome, curve, real, rejected, conflicting, len(pool.xs), tried)
