"""Section 2.1: NIST P-256 in plain integers, and its hash by RFC 9380: slow, for checks only."""

from functools import cache
from hashlib import sha256

from .expand import expand_message_xmd

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Z = -10
"""The constant of the simplified SWU map, RFC 9380, section 8.2."""

Point = tuple[int, int] | None
"""Affine x, y; None is the identity."""


def right_side(x: int) -> int:
    return (x * x * x + A * x + B) % P


def square_root(a: int) -> int | None:
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


def add_points(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return b if a is None else a
    (x1, y1), (x2, y2) = a, b
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    rise, run = (3 * x1 * x1 + A, 2 * y1) if a == b else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, P) % P
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def negate_point(a: Point) -> Point:
    return None if a is None else (a[0], -a[1] % P)


def double_jacobian(x: int, y: int, z: int) -> tuple[int, int, int]:
    """2·(x/z², y/z³), in the same coordinates, for A = −3."""
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - z * z) * (x + z * z) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def add_jacobian(x1: int, y1: int, z1: int, x2: int, y2: int) -> tuple[int, int, int]:
    """(x1/z1², y1/z1³) + (x2, y2), for different x; a zero z3 says that they were the same."""
    z1z1 = z1 * z1 % P
    h = (x2 * z1z1 - x1) % P
    r = (y2 * z1 * z1z1 - y1) % P
    hh = h * h % P
    x3 = (r * r - hh * h - 2 * x1 * hh) % P
    return x3, (r * (x1 * hh - x3) - y1 * hh * h) % P, z1 * h % P


def multiply_point(k: int, point: Point) -> Point:
    """k·point for 0 ≤ k < ORDER, by which no addition before the last one meets two points of one x."""
    if k == 0 or point is None:
        return None
    x, y, z = point[0], point[1], 1
    for bit in bin(k)[3:-1]:
        x, y, z = double_jacobian(x, y, z)
        if bit == "1":
            x, y, z = add_jacobian(x, y, z, *point)
    if k == 1:
        return point
    x, y, z = double_jacobian(x, y, z)
    inverse = pow(z, -1, P)
    double = (x * inverse**2 % P, y * inverse**3 % P)
    return add_points(double, point) if k % 2 else double


@cache
def decode_point(octets: bytes) -> Point:
    """SEC 1, section 2.3.4, compressed form only; None if it is not one."""
    if len(octets) != 33 or octets[0] not in (2, 3):
        return None
    x = int.from_bytes(octets[1:], "big")
    y = square_root(right_side(x)) if x < P else None
    if y is None:
        return None
    return x, y if y % 2 == octets[0] % 2 else P - y


def encode_point(point: Point) -> bytes:
    """SEC 1, section 2.3.3; the identity as 33 zero octets."""
    return bytes(33) if point is None else bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def simplified_swu(u: int) -> Point:
    """RFC 9380, section 6.6.2."""
    t = (Z * Z * u**4 + Z * u * u) % P
    x1 = (-B * pow(A, -1, P) * (1 + pow(t, -1, P)) if t else B * pow(Z * A, -1, P)) % P
    x2 = Z * u * u * x1 % P
    x, y = x1, square_root(right_side(x1))
    if y is None:
        x, y = x2, square_root(right_side(x2))
    if y is None:
        raise ArithmeticError("neither x1 nor x2 lies on the curve")
    return x, y if y % 2 == u % 2 else P - y


def hash_to_point(message: bytes, tag: bytes) -> Point:
    """`P256_XMD:SHA-256_SSWU_RO_` of RFC 9380, section 8.2."""
    uniform = expand_message_xmd(sha256, message, tag, 96)
    first, second = (int.from_bytes(part, "big") % P for part in (uniform[:48], uniform[48:]))
    return add_points(simplified_swu(first), simplified_swu(second))
