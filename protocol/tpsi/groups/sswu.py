"""Hashing to NIST P-256, P256_XMD:SHA-256_SSWU_RO_ (RFC 9380, sections 5.2, 6.6.2 and 8.2), in Python.

None of this runs in constant time: a device's own items are its only secret input, and an observer of the
device itself is outside the threat model (specification, section 10.8).
"""

from typing import Final

from flint import fmpz_mod_ctx

from tpsi.groups.expand import expand_message_xmd

#: The curve y^2 = x^3 + A x + B over the integers modulo P, and the map's constant Z.
P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
A: Final = P - 3
B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Z: Final = P - 10
#: Octets of uniform string a field element, ceil((256 + 128) / 8).
L: Final = 48

_FIELD: Final = fmpz_mod_ctx(P)
_A: Final = _FIELD(A)
_B: Final = _FIELD(B)
_Z: Final = _FIELD(Z)
_MINUS_B_OVER_A: Final = -_B / _A
_X_OF_ZERO: Final = _B / (_Z * _A)
_ROOT: Final = (P + 1) // 4  # P is 3 modulo 4, so c^_ROOT is a root of c or, if c has none, of -c
_ROOT_OF_MINUS_Z3: Final = (-(_Z**3)) ** _ROOT


def curve_equation(x: int) -> int:
    """x^3 + A x + B modulo P."""
    return ((x * x + A) * x + B) % P


def square_root(value: int) -> int | None:
    """A root of `value` modulo P, or None if it has none."""
    square = _FIELD(value)
    root = square**_ROOT
    return int(root) if root * root == square else None


def hash_to_field(message: bytes, dst: bytes) -> tuple[int, int]:
    """Two elements of the field (section 5.2)."""
    uniform = expand_message_xmd(message, dst, 2 * L, "sha256")
    return int.from_bytes(uniform[:L], "big") % P, int.from_bytes(uniform[L:], "big") % P


def map_to_curve(u: int) -> tuple[int, int]:
    """Affine coordinates of the point that the simplified SWU map gives for `u` (section 6.6.2)."""
    u_mod = _FIELD(u)
    zu2 = _Z * u_mod * u_mod
    denominator = zu2 * zu2 + zu2
    x = _X_OF_ZERO if denominator == 0 else _MINUS_B_OVER_A * (1 + 1 / denominator)
    square = x * x * x + _A * x + _B
    y = square**_ROOT
    if y * y != square:  # then y^2 = -square, and the second candidate has a root
        x = zu2 * x
        y = _ROOT_OF_MINUS_Z3 * u_mod**3 * y
    return int(x), int(y) if int(y) & 1 == u & 1 else P - int(y)


def hash_to_points(message: bytes, dst: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two points whose sum is the hash (section 3); the curve's cofactor is 1."""
    first, second = hash_to_field(message, dst)
    return map_to_curve(first), map_to_curve(second)
