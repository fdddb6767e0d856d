"""Section 6: account keys, polynomials, coordinates, shares, and the synthetic decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from .notation import FIELD, b, kdf, os2ip, u8, u16, u32, u64, words


@dataclass(frozen=True)
class Sharing:
    """What, with account and list, makes a pool."""

    generation: int
    threshold: int
    rows: int
    count_by: str

    @property
    def info(self) -> bytes:
        """u32(g) ‖ u32(t) ‖ u16(u) ‖ u8(c)."""
        code = {"hash": 0, "item": 1}[self.count_by]
        return u32(self.generation) + u32(self.threshold) + u16(self.rows) + u8(code)


@dataclass(frozen=True)
class Keys:
    """The keys of a pool and the polynomials that k_poly gives, constant terms first."""

    sharing: Sharing
    scope: bytes
    k_poly: bytes
    k_x: bytes
    k_fake: bytes
    polynomials: list[list[int]]


def pool_keys(secret: bytes, scope: bytes, sharing: Sharing) -> Keys:
    keys = kdf("tpsi-v1-account", secret, scope, sharing.info, 96)
    k_poly = keys[:32]
    rows = [list(islice(words("tpsi-v1-poly", k_poly, u16(j)), sharing.threshold + 1)) for j in range(sharing.rows)]
    return Keys(sharing, scope, k_poly, keys[32:64], keys[64:], rows)


def memory_key(secret: bytes, scope: bytes, generation: int) -> bytes:
    return kdf("tpsi-v1-memory-key", secret, scope, u32(generation), 32)


def encode_values(values: Sequence[int]) -> bytes:
    return b"".join(u64(value) for value in values)


def evaluate(coefficients: list[int], x: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * x + coefficient) % FIELD
    return total


def subject(keys: Keys, y: bytes, identifier: bytes | None) -> bytes:
    """z: the hash, or the encoded identifier of the item."""
    if keys.sharing.count_by == "hash" or identifier is None:
        return y
    return u8(len(identifier)) + identifier


def coordinate(keys: Keys, z: bytes) -> int:
    person = f"tpsi-v1-x-{keys.sharing.count_by}"
    return 1 + os2ip(b(16, keys.k_x, person, z)) % (FIELD - 1)


def share_of(keys: Keys, z: bytes) -> bytes:
    x = coordinate(keys, z)
    return encode_values([x] + [evaluate(row, x) for row in keys.polynomials])


def decision(keys: Keys, z: bytes) -> int:
    """The number below 10^6 that is compared with per_million."""
    return os2ip(b(8, keys.k_fake, "tpsi-v1-decide", z)) * 10**6 // 2**64


def synthetic_share(keys: Keys, z: bytes) -> bytes:
    stream = words("tpsi-v1-fake", keys.k_fake, z)
    x = next(word for word in stream if word != 0)
    return encode_values([x, *islice(stream, keys.sharing.rows)])


def memory_tag(key: bytes, y: bytes) -> bytes:
    return b(16, key, "tpsi-v1-memory", y)


def item_memory_tag(key: bytes, identifier: bytes) -> bytes:
    """What is remembered of an item besides its probes, if items are counted."""
    return b(16, key, "tpsi-v1-memory-i", u8(len(identifier)) + identifier)
