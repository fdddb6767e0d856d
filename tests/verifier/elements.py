"""Section 2.1: the two suites, with elements as octet strings and scalars as integers."""

from abc import ABC, abstractmethod
from functools import cache

from . import edwards, p256
from .notation import u64


class Group(ABC):
    """One suite. The identity is `Ne` zero octets inside a computation and never valid from outside."""

    name: str
    order: int
    element_size: int
    scalar_order: str
    random_octets: int

    @property
    def identity(self) -> bytes:
        return bytes(self.element_size)

    @property
    @abstractmethod
    def generator(self) -> bytes: ...

    @abstractmethod
    def is_canonical(self, octets: bytes) -> bool: ...

    @abstractmethod
    def add(self, a: bytes, b: bytes) -> bytes: ...

    @abstractmethod
    def negate(self, a: bytes) -> bytes: ...

    @abstractmethod
    def multiply(self, k: int, a: bytes) -> bytes: ...

    @abstractmethod
    def hash(self, message: bytes, tag: bytes) -> bytes: ...

    def is_valid(self, octets: bytes) -> bool:
        """An element from outside: canonical and not the identity."""
        return octets != self.identity and self.is_canonical(octets)

    def subtract(self, a: bytes, b: bytes) -> bytes:
        return self.add(a, self.negate(b))

    def encode_scalar(self, k: int) -> bytes:
        return k.to_bytes(32, "little" if self.scalar_order == "little" else "big")

    def decode_scalar(self, octets: bytes) -> int:
        return int.from_bytes(octets, "little" if self.scalar_order == "little" else "big")

    def random_scalar(self, uniform: bytes) -> int:
        """The scalar made from `random_octets` uniform octets."""
        return self.decode_scalar(uniform) % self.order

    def item(self, encoded_item: bytes) -> bytes:
        """H(y)."""
        return self.hash(encoded_item, b"tpsi-v1-item-" + self.name.encode("ascii"))

    def fill(self, fill_key: bytes, cell: int) -> bytes:
        """F(k, c)."""
        return self.hash(fill_key + u64(cell), b"tpsi-v1-fill-" + self.name.encode("ascii"))


class Ristretto255(Group):
    name = "TPSI-RISTRETTO255-SHA512"
    order = 2**252 + 27742317777372353535851937790883648493
    element_size = 32
    scalar_order = "little"
    random_octets = 64

    @property
    def generator(self) -> bytes:
        return edwards.encode_point(edwards.generator())

    def is_canonical(self, octets: bytes) -> bool:
        return edwards.decode_point(octets) is not None

    @cache  # noqa: B019 - the two groups live as long as the program
    def add(self, a: bytes, b: bytes) -> bytes:
        return edwards.encode_point(edwards.add_points(self._point(a), self._point(b)))

    @cache  # noqa: B019
    def negate(self, a: bytes) -> bytes:
        return edwards.encode_point(edwards.negate_point(self._point(a)))

    @cache  # noqa: B019
    def multiply(self, k: int, a: bytes) -> bytes:
        return edwards.encode_point(edwards.multiply_point(k, self._point(a)))

    @cache  # noqa: B019
    def hash(self, message: bytes, tag: bytes) -> bytes:
        return edwards.encode_point(edwards.hash_to_point(message, tag))

    def _point(self, octets: bytes) -> edwards.Point:
        point = edwards.decode_point(octets)
        if point is None:
            raise ValueError("not an element of ristretto255")
        return point


class P256(Group):
    name = "TPSI-P256-SHA256"
    order = p256.ORDER
    element_size = 33
    scalar_order = "big"
    random_octets = 48

    @property
    def generator(self) -> bytes:
        return p256.encode_point(p256.GENERATOR)

    def is_canonical(self, octets: bytes) -> bool:
        return octets == self.identity or p256.decode_point(octets) is not None

    @cache  # noqa: B019
    def add(self, a: bytes, b: bytes) -> bytes:
        return p256.encode_point(p256.add_points(self._point(a), self._point(b)))

    @cache  # noqa: B019
    def negate(self, a: bytes) -> bytes:
        return p256.encode_point(p256.negate_point(self._point(a)))

    @cache  # noqa: B019
    def multiply(self, k: int, a: bytes) -> bytes:
        return p256.encode_point(p256.multiply_point(k, self._point(a)))

    @cache  # noqa: B019
    def hash(self, message: bytes, tag: bytes) -> bytes:
        return p256.encode_point(p256.hash_to_point(message, tag))

    def _point(self, octets: bytes) -> p256.Point:
        point = p256.IDENTITY if octets == self.identity else p256.decode_point(octets)
        if point is None:
            raise ValueError("not an element of P-256")
        return point


GROUPS: dict[str, Group] = {group.name: group for group in (Ristretto255(), P256())}
