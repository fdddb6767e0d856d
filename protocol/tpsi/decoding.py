"""Finding the curve that some of a set of shares lie on (specification, section 9).

A *relation* is a vector Q = (q_∗, q_0, …, q_{u−1}) of polynomials with q_∗(x_i) + Σ_j q_j(x_i)·y_ij = 0 for
each of the n shares; its *size* is the largest of deg q_∗ − t and the deg q_j. Say that a of the shares lie on a
curve p of degree ≤ t, and e = n − a do not. Then:

1. Q(x, p(x)) is a polynomial of degree ≤ size + t that vanishes at a points. So a relation smaller than a − t
   vanishes on all of the curve. Call such a relation an *annihilator* of p.
2. The vectors that vanish on all of the curve have the basis z_j − p_j(x), of size 0. To be a relation is one
   more linear condition at each of the e other coordinates, which are distinct. So the annihilators have a
   reduced basis of u elements whose sizes sum to e. Its largest, δ, is at most e; if the e shares are random it
   is ⌈e/u⌉, but for a probability of the order of 1/p.
3. A reduced basis of all relations has u + 1 elements, whose sizes sum to n − t, and the u smallest of them are
   no larger than any u independent relations. *If δ < a − t*, they are thus annihilators, by 1 and 2, so that
   their sizes sum to e. The last, G, has size a − t: the one largest.
4. Then the basis as a matrix B(x) takes (1, p(x)) to c·Π(x − x_i), over the a shares, in the place of G, and to
   0 elsewhere; and det B(x) = Π(x − x_i) over all shares. So the column of the adjugate of B(x) that belongs to
   G is Λ(x)·(1, p(x))/c, with Λ(x) = Π(x − x_i) over the e others. From its values at t + 1 points that are no
   roots of Λ, p is interpolated.

So e ≤ a − t − 1 others are told from a real shares whatever their pattern. If they are random it is enough that
⌈e/u⌉ ≤ a − t − 1, which is u·(a − t − 1) ≥ e. What comes out is a guess: the caller checks it.
"""

from dataclasses import dataclass

import numpy as np

from tpsi import field
from tpsi.field import Elements

_NODES = 512  # that the adjugate is evaluated at together, for the processor's cache
_ZERO = np.zeros(1, np.uint64)


#: Bounds the time for the largest set of shares that is decoded (see `work`): about 10 s on one core. It admits all of
#: 7 800 shares with u = 16, or 3 900 with u = 64, or 1 900 with u = 255, at t = 30.
WORK_LIMIT = 2**29


@dataclass(frozen=True, repr=False, eq=False)
class _Reduction:
    """How a reduced basis was made. Step k, from the basis for k shares to one for k + 1:

    element b += multipliers[k, b] · element pivots[k], for all b; then element pivots[k] *= (x − x_k).
    """

    xs: Elements  # (n,)
    pivots: list[int]
    multipliers: Elements  # (n, u + 1), zero at the pivot
    sizes: list[int]  # of the u + 1 elements at the end


def work(count: int, rows: int, threshold: int) -> int:
    """The time that `decode` takes for so many shares, and a look at a curve, in steps of some 20 ns on one core."""
    return (rows + 1) * count * (count // 2 + 4 * (threshold + 1))


def decode(xs: Elements, rows: Elements, threshold: int, start: int) -> Elements | None:
    """The coefficients (u, t + 1), constants first, of the curve that some of the shares lie on.

    xs (n,) are distinct, n > t; rows is (n, u); `start` is a uniform field element. If δ < a − t for some curve
    the result is that curve, but for a probability below n·(t + 1)/p. Otherwise it is None or any curve.
    """
    reduction = _reduce(xs, rows, threshold)
    largest = max(reduction.sizes)
    top = reduction.sizes.index(largest)
    if reduction.sizes.count(largest) > 1:
        return None  # by 3, there is no curve with δ < a − t
    nodes = np.array([(start + k) % field.P for k in range(threshold + 1)], np.uint64)
    blocks = [nodes[k : k + _NODES] for k in range(0, len(nodes), _NODES)]
    column = np.hstack([_adjugate_column(reduction, top, block) for block in blocks])
    if not column[0].all():
        return None
    return _interpolate(field.multiply(column[1:], field.inverse(column[0])).T, start)


def _reduce(xs: Elements, rows: Elements, threshold: int) -> _Reduction:
    """Take in one share after the other (Kötter's interpolation), holding only the values at later shares.

    Of the elements that do not vanish at the share, the smallest (of several, the first) clears the others,
    which leaves their leading terms as they are, and grows by the factor x − x_k: the basis stays reduced.
    """
    count, width = len(xs), rows.shape[1] + 1
    values = np.vstack([np.ones((1, count), np.uint64), rows.T])
    sizes = [-threshold] + [0] * (width - 1)
    pivots: list[int] = []
    multipliers = np.zeros((count, width), np.uint64)
    for k in range(count):
        residues, later = values[:, k].tolist(), values[:, k + 1 :]
        # not all are zero, as the determinant of the basis, the product of the x − x_i so far, is not at x_k
        pivot = min((b for b in range(width) if residues[b]), key=sizes.__getitem__)
        ratio = -pow(residues[pivot], -1, field.P)
        residues[pivot] = 0
        if any(residues):
            multipliers[k] = [residue * ratio % field.P for residue in residues]
            field.add_outer(later, multipliers[k], later[pivot].copy())
        later[pivot] = field.multiply(later[pivot], field.subtract(xs[k + 1 :], xs[k : k + 1]))
        sizes[pivot] += 1
        pivots.append(pivot)
    return _Reduction(xs, pivots, multipliers, sizes)


def _adjugate_column(reduction: _Reduction, top: int, nodes: Elements) -> Elements:
    """(u + 1, nodes): column `top` of the adjugate of the basis matrix at the nodes, up to signs."""
    column = np.zeros((len(reduction.sizes), len(nodes)), np.uint64)
    column[top] = 1
    for k in range(len(reduction.pivots) - 1, -1, -1):  # the steps' own adjugates, from the last
        pivot = reduction.pivots[k]
        kept = column[pivot].copy()
        column = field.multiply(column, field.subtract(reduction.xs[k : k + 1], nodes))
        column[pivot] = field.subtract(_ZERO, kept)
        field.add_outer(column, reduction.multipliers[k], kept)
    return column


def _interpolate(values: Elements, start: int) -> Elements:
    """The polynomials (u, n), constants first, with the values (n, u) at start, start + 1, …, start + n − 1."""
    newton = values.copy()
    factorials = np.ones(len(values), np.uint64)
    for k in range(1, len(values)):
        newton[k:] = field.subtract(newton[k:], newton[k - 1 : -1])  # the k-th differences
        factorials[k] = int(factorials[k - 1]) * k % field.P
    newton = field.multiply(newton, field.inverse(factorials)[:, None])
    terms = np.zeros((0, values.shape[1]), np.uint64)
    for k in range(len(values) - 1, -1, -1):  # terms · (x − start − k) + newton[k]
        longer = np.vstack([newton[k], terms])
        factor = np.array([-(start + k) % field.P], np.uint64)
        field.add_outer(longer[:-1].reshape(1, -1), factor, terms.reshape(-1))
        terms = longer
    return terms.T.copy()
