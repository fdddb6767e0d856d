"""Section 9: conflicts, candidates, what makes a secret believed, and the reveal.

Candidates come from the stacked Hankel systems of syndromes, at two radii, and not from the reduced basis that the
specification describes: it finds whatever these find, and both find what section 9 promises. With v_i = 1/Π(x_i − x_k),
the syndromes S_j(r) = Σ v_i·y_ij·x_i^r, r < N − t − 1, vanish if all shares are real; the polynomial Λ whose roots are
the x of the other shares satisfies Σ_d Λ_d·S_j(r+d) = 0 for all j and r.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .matching import split_share
from .notation import FIELD, open_
from .shares import Keys, encode_values
from .voucher import item_ad_key, pool_ad_key, unpad

Share = tuple[int, ...]
"""x, then the rows."""


@dataclass(frozen=True)
class Delivered:
    """The opened part of one voucher of a pool."""

    voucher_id: bytes
    share: bytes
    adct: bytes


def interpolate(points: Sequence[tuple[int, int]], x: int) -> int:
    """Lagrange: the value at x of the polynomial through the points."""
    total = 0
    for i, (xi, yi) in enumerate(points):
        numerator, denominator = yi, 1
        for k, (xk, _) in enumerate(points):
            if k != i:
                numerator = numerator * (x - xk) % FIELD
                denominator = denominator * (xi - xk) % FIELD
        total += numerator * pow(denominator, -1, FIELD)
    return total % FIELD


def null_space(rows: list[list[int]], columns: int) -> list[list[int]]:
    """A basis of the vectors that all rows annihilate, by elimination modulo p."""
    reduced: list[tuple[int, list[int]]] = []
    for row in rows:
        for pivot, other in reduced:
            row = [(a - row[pivot] * c) % FIELD for a, c in zip(row, other, strict=True)]  # noqa: PLW2901
        lead = next((i for i, a in enumerate(row) if a), None)
        if lead is None:
            continue
        inverse = pow(row[lead], -1, FIELD)
        row = [a * inverse % FIELD for a in row]  # noqa: PLW2901
        reduced = [
            (pivot, [(a - other[lead] * c) % FIELD for a, c in zip(other, row, strict=True)])
            for pivot, other in reduced
        ]
        reduced.append((lead, row))
    free = [i for i in range(columns) if i not in {pivot for pivot, _ in reduced}]
    basis = []
    for chosen in free:
        vector = [int(i == chosen) for i in range(columns)]
        for pivot, row in reduced:
            vector[pivot] = -row[chosen] % FIELD
        basis.append(vector)
    return basis


def syndromes(shares: list[Share], redundancy: int) -> list[list[int]]:
    """S_j(r) for every row j and r < R."""
    weights = []
    coordinates = [share[0] for share in shares]
    for x in coordinates:
        product = 1
        for other in coordinates:
            product = product * (x - other) % FIELD if other != x else product
        weights.append(pow(product, -1, FIELD))
    return [
        [
            sum(v * share[j] * pow(share[0], r, FIELD) for v, share in zip(weights, shares, strict=True)) % FIELD
            for r in range(redundancy)
        ]
        for j in range(1, len(shares[0]))
    ]


def candidate_sets(shares: list[Share], threshold: int) -> Iterator[list[Share]]:
    """The candidate of each of the two radii."""
    redundancy, rows = len(shares) - threshold - 1, len(shares[0]) - 1
    by_row = syndromes(shares, redundancy)
    for radius in (rows * redundancy // (rows + 1), redundancy // 2):
        system = [s[r : r + radius + 1] for s in by_row for r in range(redundancy - radius)]
        basis = null_space(system, radius + 1)
        yield [
            share
            for share in shares
            if any(sum(c * pow(share[0], d, FIELD) for d, c in enumerate(v)) % FIELD for v in basis)
        ]


def constants_of(shares: list[Share], threshold: int) -> list[int] | None:
    """The constant terms, if there are t+1 shares and every row lies on a polynomial of degree ≤ t."""
    if len(shares) <= threshold:
        return None
    for j in range(1, len(shares[0])):
        points = [(share[0], share[j]) for share in shares]
        if any(interpolate(points[: threshold + 1], x) != y for x, y in points[threshold + 1 :]):
            return None
    first = shares[: threshold + 1]
    return [interpolate([(s[0], s[j]) for s in first], 0) for j in range(1, len(shares[0]))]


def open_ad(k_ad: bytes, entry: Delivered) -> bytes | None:
    padded = open_(item_ad_key(k_ad, entry.voucher_id), entry.adct, b"tpsi-v1-ad" + entry.voucher_id)
    return None if padded is None else unpad(padded)


def detect(opened: list[Delivered], keys: Keys) -> dict[str, Any]:
    """The result for a pool, in the form in which transcripts record it."""
    vouchers: defaultdict[Share, list[Delivered]] = defaultdict(list)
    malformed, by_x = [], defaultdict(set)
    for entry in opened:
        values = tuple(split_share(entry.share))
        if values[0] == 0 or max(values) >= FIELD:
            malformed.append(entry.voucher_id)
            continue
        vouchers[values].append(entry)
        by_x[values[0]].add(values)
    conflicting = sorted(s for shares in by_x.values() if len(shares) > 1 for s in shares)
    distinct = sorted(s for shares in by_x.values() if len(shares) == 1 for s in shares)
    common = {
        "malformed": sorted(malformed),
        "conflicting": [encode_values(s) for s in conflicting],
        "distinct": [encode_values(s) for s in distinct],
    }
    nothing: dict[str, Any] = {
        "constants": None,
        "k_ad": None,
        "real": [],
        "rejected": [],
        "revealed": [],
        "flagged": [],
    }
    if len(distinct) <= keys.sharing.threshold:
        return {"result": "below"} | common | nothing
    for candidate in candidate_sets(distinct, keys.sharing.threshold):
        constants = constants_of(candidate, keys.sharing.threshold)
        if constants is None:
            continue
        k_ad = pool_ad_key(keys, constants)
        if any(open_ad(k_ad, entry) is not None for s in candidate for entry in vouchers[s]):
            real = on_polynomials(distinct, candidate, keys.sharing.threshold)
            return {"result": "revealed"} | common | reveal(real, distinct, vouchers, constants, k_ad)
    return {"result": "undecided"} | common | nothing


def on_polynomials(distinct: list[Share], believed: list[Share], threshold: int) -> list[Share]:
    base = believed[: threshold + 1]

    def lies(share: Share) -> bool:
        return all(interpolate([(s[0], s[j]) for s in base], share[0]) == share[j] for j in range(1, len(share)))

    return [share for share in distinct if lies(share)]


def reveal(
    real: list[Share],
    distinct: list[Share],
    vouchers: dict[Share, list[Delivered]],
    constants: list[int],
    k_ad: bytes,
) -> dict[str, Any]:
    entries = sorted((e for s in real for e in vouchers[s]), key=lambda e: e.voucher_id)
    opened = [(entry.voucher_id, open_ad(k_ad, entry)) for entry in entries]
    return {
        "constants": encode_values(constants),
        "k_ad": k_ad,
        "real": [encode_values(s) for s in real],
        "rejected": [encode_values(s) for s in distinct if s not in real],
        "revealed": [{"voucher": v, "ad": ad} for v, ad in opened if ad is not None],
        "flagged": [v for v, ad in opened if ad is None],
    }
