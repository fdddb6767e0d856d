"""Section 2.1: NIST P-256 in plain integers, and its hash by RFC 9380: slow, for checks only."""

from functools import cache, lru_cache
from hashlib import sha256

from .expand import expand_message_xmd

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
Z = -10
"""The constant of the simplified SWU map, RFC 9380, section 8.2."""

Point = tuple[int, int, int]
"""Projective coordinates X, Y, Z with x = X/Z, y = Y/Z."""

IDENTITY: Point = (0, 1, 0)


def right_side(x: int) -> int:
    return (x * x * x + A * x + B) % P


def square_root(a: int) -> int | None:
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


def add_points(a: Point, b: Point) -> Point:
    """The complete addition of Renes, Costello and Batina (2015): no case is special on a curve of odd order."""
    (x1, y1, z1), (x2, y2, z2) = a, b
    xx, yy, zz = x1 * x2, y1 * y2, z1 * z2
    xy, xz, yz = x1 * y2 + x2 * y1, x1 * z2 + x2 * z1, y1 * z2 + y2 * z1
    m = (A * xz + 3 * B * zz) % P
    n = (A * xx + 3 * B * xz - A * A * zz) % P
    o = 3 * xx + A * zz
    return (xy * (yy - m) - yz * n) % P, ((yy + m) * (yy - m) + o * n) % P, (yz * (yy + m) + xy * o) % P


def negate_point(a: Point) -> Point:
    return a[0], -a[1] % P, a[2]


@lru_cache(maxsize=16)
def doublings(point: Point) -> list[Point]:
    """point, 2·point, 4·point …: the last few lists are kept, as G and L are multiplied often."""
    powers = [point]
    for _ in range(255):
        powers.append(add_points(powers[-1], powers[-1]))
    return powers


def multiply_point(k: int, point: Point) -> Point:
    """k·point for 0 ≤ k < 2^256."""
    total = IDENTITY
    for i, power in enumerate(doublings(point)):
        if k >> i & 1:
            total = add_points(total, power)
    return total


@cache
def decode_point(octets: bytes) -> Point | None:
    """SEC 1, section 2.3.4, compressed form only; None if it is not one."""
    if len(octets) != 33 or octets[0] not in (2, 3):
        return None
    x = int.from_bytes(octets[1:], "big")
    y = square_root(right_side(x)) if x < P else None
    if y is None:
        return None
    return x, y if y % 2 == octets[0] % 2 else P - y, 1


def encode_point(point: Point) -> bytes:
    """SEC 1, section 2.3.3; the identity as 33 zero octets."""
    x, y, z = point
    if z == 0:
        return bytes(33)
    inverse = pow(z, -1, P)
    return bytes([2 + y * inverse % P % 2]) + (x * inverse % P).to_bytes(32, "big")


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
    return x, y if y % 2 == u % 2 else P - y, 1


def hash_to_point(message: bytes, tag: bytes) -> Point:
    """`P256_XMD:SHA-256_SSWU_RO_` of RFC 9380, section 8.2."""
    uniform = expand_message_xmd(sha256, message, tag, 96)
    first, second = (int.from_bytes(part, "big") % P for part in (uniform[:48], uniform[48:]))
    return add_points(simplified_swu(first), simplified_swu(second))
