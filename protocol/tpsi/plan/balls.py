"""Rigorous arithmetic for the planner: real numbers as balls that are known to hold the result (Arb, in python-flint).

A chance of 10^-300 is the difference of two numbers near 1, which no fixed precision survives. Here a computation is
repeated with twice the bits until the ball around its result is small *in relation to the result*.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from flint import arb, ctx

from tpsi.errors import CallerError

#: A ball of python-flint, which has no types of its own.
Ball: TypeAlias = Any

#: Correct bits of every result, more than a double holds.
RELATIVE_BITS = 64
#: Where precision starts and where it ends: a chance of 10^-30 000 needs 100 000 bits.
FIRST_BITS, LAST_BITS = 128, 1 << 17


def exact(compute: Callable[[], Ball], relative_bits: int = RELATIVE_BITS) -> Ball:
    """What `compute` gives, at the first precision at which it is known to so many bits.

    A result that is exactly 0 is exact. CallerError if LAST_BITS are not enough.
    """
    bits = FIRST_BITS
    while bits <= LAST_BITS:
        with ctx.workprec(bits):
            result = compute()
        if result.is_finite() and (result.is_exact() or result.rel_accuracy_bits() >= relative_bits):
            return result
        bits *= 2
    raise CallerError("this chance is below 10^-30000, or beyond what can be computed: ask for something larger")


def is_at_most(compute: Callable[[], Ball], bound: float) -> bool:
    """Whether the result is at most `bound`; equal if no precision up to LAST_BITS can tell them apart."""
    bits = FIRST_BITS
    while bits <= LAST_BITS:
        with ctx.workprec(bits):
            result, limit = compute(), arb(bound)
            if result <= limit:
                return True
            if result > limit:
                return False
        bits *= 4
    return True


def log10(ball: Ball) -> float:
    """The decimal logarithm of a positive ball, -inf for 0."""
    if ball.is_zero():
        return float("-inf")
    with ctx.workprec(FIRST_BITS):
        return float((ball.log() / arb(10).log()).mid())


def to_float(ball: Ball) -> float:
    """The nearest double, more or less; 0.0 below 10^-308, so keep `log10` beside it."""
    return float(ball.mid())
