"""Section 2.1: ristretto255 by RFC 9496, section 4, in plain integers: slow, for checks only."""

from functools import cache, lru_cache
from hashlib import sha512

from .expand import expand_message_xmd

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, x·y = T/Z."""

IDENTITY: Point = (0, 1, 1, 0)


def is_negative(a: int) -> bool:
    return a % P % 2 == 1


def absolute(a: int) -> int:
    return -a % P if is_negative(a) else a % P


def sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496, section 4.2: (True, √(u/v)) if u/v is a square, else (False, √(i·u/v)), non-negative."""
    r = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * r * r % P
    flipped = check in (-u % P, -u * SQRT_M1 % P)
    if flipped:
        r = r * SQRT_M1 % P
    return check in (u % P, -u % P), absolute(r)


ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P
# RFC 9496, section 4.1, names the root that is odd (negative) in the first case
SQRT_AD_MINUS_ONE = -sqrt_ratio((-D - 1) % P, 1)[1] % P
INVSQRT_A_MINUS_D = sqrt_ratio(1, (-1 - D) % P)[1]


def add_points(a: Point, b: Point) -> Point:
    """The complete addition on −x² + y² = 1 + d·x²·y²."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e = (y1 - x1) * (y2 - x2) % P
    f = (y1 + x1) * (y2 + x2) % P
    g = 2 * D * t1 * t2 % P
    h = 2 * z1 * z2 % P
    return (f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P


def negate_point(a: Point) -> Point:
    x, y, z, t = a
    return -x % P, y, z, -t % P


@lru_cache(maxsize=16)
def doublings(point: Point) -> list[Point]:
    """point, 2·point, 4·point …: the last few lists are kept, as G and L are multiplied often."""
    powers = [point]
    for _ in range(252):
        powers.append(add_points(powers[-1], powers[-1]))
    return powers


def multiply_point(k: int, point: Point) -> Point:
    """k·point for 0 ≤ k < 2^253."""
    total = IDENTITY
    for i, power in enumerate(doublings(point)):
        if k >> i & 1:
            total = add_points(total, power)
    return total


@cache
def decode_point(octets: bytes) -> Point | None:
    """RFC 9496, section 4.3.1; None if it fails. All zeros decode to the identity here."""
    s = int.from_bytes(octets, "little")
    if len(octets) != 32 or s >= P or is_negative(s):
        return None
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, invsqrt = sqrt_ratio(1, v * u2 * u2 % P)
    x_denominator = invsqrt * u2 % P
    y_denominator = invsqrt * x_denominator * v % P
    x = absolute(2 * s * x_denominator)
    y = u1 * y_denominator % P
    t = x * y % P
    return None if not square or is_negative(t) or y == 0 else (x, y, 1, t)


def encode_point(point: Point) -> bytes:
    """RFC 9496, section 4.3.2."""
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    invsqrt = sqrt_ratio(1, u1 * u2 * u2 % P)[1]
    d1, d2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inverse = d1 * d2 * t0 % P
    x, y, denominator = x0, y0, d2
    if is_negative(t0 * z_inverse):
        x, y, denominator = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, d1 * INVSQRT_A_MINUS_D % P
    if is_negative(x * z_inverse):
        y = -y % P
    return absolute(denominator * (z0 - y)).to_bytes(32, "little")


def elligator(t: int) -> Point:
    """MAP of RFC 9496, section 4.3.4."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, (1 - s * s) % P, (1 + s * s) % P
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def hash_to_point(message: bytes, tag: bytes) -> Point:
    """`ristretto255_XMD:SHA-512_R255MAP_RO_` of RFC 9380, appendix B."""
    uniform = expand_message_xmd(sha512, message, tag, 64)
    halves = (int.from_bytes(part, "little") % 2**255 % P for part in (uniform[:32], uniform[32:]))
    first, second = (elligator(t) for t in halves)
    return add_points(first, second)


@cache
def generator() -> Point:
    """The base point of edwards25519: y = 4/5, x non-negative."""
    y = 4 * pow(5, -1, P) % P
    x = sqrt_ratio((y * y - 1) % P, (D * y * y + 1) % P)[1]
    return x, y, 1, x * y % P
