"""ristretto255's parameters and its scalars: integers modulo the order, little-endian (RFC 9496, section 4.4)."""

from collections.abc import Sequence
from typing import Final

from tpsi.errors import CallerError, DecodeError
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.groups.base import Group, Rng, Rows
from tpsi.groups.rows import below, draw_scalars, join_rows, require_rows

SIZE: Final = 32
WIDE: Final = 64

NOT_AN_ELEMENT: Final = "a row is not the canonical encoding of a ristretto255 element"
NOT_REDUCED: Final = "a scalar is not below the group's order: reduce it first"


class Scalars255:
    """What the implementations of ristretto255 have in common."""

    suite = RISTRETTO255_SHA512
    order = 2**252 + 27742317777372353535851937790883648493
    element_size = SIZE
    scalar_size = SIZE
    wide_size = WIDE

    def random_scalars(self: Group, count: int, rng: Rng) -> Rows:
        """See `Group.random_scalars`."""
        return draw_scalars(self, count, rng)

    def encode_scalars(self, values: Sequence[int]) -> Rows:
        """Integers, reduced modulo the order, little-endian."""
        return join_rows([(value % self.order).to_bytes(SIZE, "little") for value in values], SIZE)

    def decode_scalars(self, scalars: Rows) -> list[int]:
        """See `Group.decode_scalars`."""
        scalars = require_rows(scalars, SIZE, "scalars")
        if not below(scalars[:, ::-1], self.order).all():
            raise DecodeError("a scalar is not below the group's order")
        return [int.from_bytes(row.tobytes(), "little") for row in scalars]

    def reduced(self, scalars: Rows) -> Rows:
        """The same scalars; CallerError unless all are below the order."""
        scalars = require_rows(scalars, SIZE, "scalars")
        if not below(scalars[:, ::-1], self.order).all():
            raise CallerError(NOT_REDUCED)
        return scalars
