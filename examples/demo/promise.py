"""What must be revealed of an account: the protocol's promise as arithmetic (specification, section 9)."""

import math

#: Polynomials that a share is a point of: each match beyond the minimum outweighs this many synthetic vouchers.
ROWS = 16

#: How unlikely it has to be that chance alone spoils the demonstration.
_NEGLIGIBLE = 1e-9


def allowed_reveals(threshold: int, matches: int, synthetic: int) -> frozenset[int]:
    """How many pictures a server may have been shown of an account with so many distinct matches.

    At most t matches: none. Enough of them to outweigh the synthetic vouchers: all. In between it may not have
    been able to decide yet; never does it see a part.
    """
    if matches <= threshold:
        return frozenset({0})
    if matches >= fewest_decisive(threshold, synthetic):
        return frozenset({matches})
    return frozenset({0, matches})


def fewest_decisive(threshold: int, synthetic: int) -> int:
    """The smallest number a of matches that is told from e random shares: u·(a − t − 1) ≥ e."""
    return threshold + 1 + math.ceil(synthetic / ROWS)


def most_synthetic(items: int, rate: float) -> int:
    """The least number that the synthetic vouchers of so many items exceed with negligible probability."""
    tail = 1.0
    for count in range(items + 1):
        tail -= math.comb(items, count) * rate**count * (1 - rate) ** (items - count)
        if tail < _NEGLIGIBLE:
            return count
    return items
