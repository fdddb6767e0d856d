"""The check that this device computes hashes as the makers of the list did, on one known picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tpsi.errors import TpsiError
from tpsi.pictures.hashers import hasher
from tpsi.pictures.picture import Picture


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A hash type that this device must not be trusted with.

    `expected` and `actual` are hexadecimal; `expected` is None if nothing was published for the type,
    `actual` if this device can't compute it.
    """

    type: str
    expected: str | None
    actual: str | None

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.type}: no expected hash is known, so it can't be checked"
        if self.actual is None:
            return f"{self.type}: can't be computed here"
        return f"{self.type}: expected {self.expected}, but this device computes {self.actual}"


def check_hashers(types: Iterable[str], picture_bytes: bytes, expected: Mapping[str, str]) -> list[Mismatch]:
    """Hash `picture_bytes` with every type and compare with `expected`; an empty list means all agree."""
    picture = Picture.from_bytes(picture_bytes, "self-check picture")
    results = (Mismatch(label, expected.get(label), _hash(label, picture)) for label in types)
    return [result for result in results if result.expected is None or result.expected != result.actual]


def _hash(label: str, picture: Picture) -> str | None:
    try:
        return hasher(label).hash(picture).digest.hex()
    except TpsiError:
        return None
