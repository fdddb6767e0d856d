"""Pools of shares for the tests: some on a curve, others chosen by whoever attacks, in an order of chance."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.support.drbg import Drbg
from tpsi.detection import Detection, detect
from tpsi.field import Elements, P, add, encode, evaluate


class Chance:
    """Random field elements and orders of a test, from its seed."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def elements(self, *shape: int) -> Elements:
        return self._generator.integers(0, P, shape, np.uint64)

    def coordinates(self, count: int) -> Elements:
        return self._generator.integers(1, P, count, np.uint64)

    def order(self, count: int) -> NDArray[np.intp]:
        return self._generator.permutation(count)


@dataclass(frozen=True)
class Shares:
    """Shares (xs, rows), and which of them lie on the curve that is meant to be found."""

    xs: Elements
    rows: Elements
    real: NDArray[np.bool_]

    def __add__(self, other: "Shares") -> "Shares":
        xs, rows = np.append(self.xs, other.xs), np.vstack([self.rows, other.rows])
        return Shares(xs, rows, np.append(self.real, other.real))

    def __getitem__(self, which: NDArray[np.intp] | slice) -> "Shares":
        return Shares(self.xs[which], self.rows[which], self.real[which])

    def off_by(self, errors: Elements) -> "Shares":
        """The same, with errors, which make them fakes, added to the rows."""
        return Shares(self.xs, add(self.rows, errors), np.zeros_like(self.real))

    def faked(self) -> "Shares":
        """The same, for shares on a curve that is not the one meant to be found."""
        return Shares(self.xs, self.rows, np.zeros_like(self.real))


def on_curve(coefficients: Elements, xs: Elements) -> Shares:
    return Shares(xs, evaluate(coefficients, xs), np.ones(len(xs), np.bool_))


def synthetic(chance: Chance, count: int, rows: int) -> Shares:
    return Shares(chance.coordinates(count), chance.elements(count, rows), np.zeros(count, np.bool_))


@dataclass
class Oracle:
    """`opens` of associated data that was sealed under one secret; remembers the calls."""

    coefficients: Elements | None
    calls: list[tuple[bytes, Sequence[int]]] = field(default_factory=list)

    def __call__(self, secret: bytes, candidates: Sequence[int]) -> bool:
        self.calls.append((secret, candidates))
        return self.coefficients is not None and secret == encode(self.coefficients[:, 0])


def detected(shares: Shares, threshold: int, oracle: Oracle, seed: str = "order") -> Detection:
    return detect(shares.xs, shares.rows, threshold, oracle, rng=Drbg(seed))
