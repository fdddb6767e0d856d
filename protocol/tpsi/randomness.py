"""The randomness of a batch of vouchers (specification, section 7)."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tpsi.groups import Group, Rng, Rows
from tpsi.symmetric import KEY_SIZE
from tpsi.voucher import VOUCHER_ID_SIZE

#: Places in an array.
Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The randomness of n vouchers with k slots each.

    `voucher_ids` (n, 16); `rkeys`, `fake_ad_keys` (n, 32); `betas`, `gammas` (n, k, scalar_size); `keks` (n, k, 32);
    `orders` (n, k): the place in which each slot is sent.
    """

    voucher_ids: Rows
    rkeys: Rows
    fake_ad_keys: Rows
    betas: Rows
    gammas: Rows
    keks: Rows
    orders: Indices

    def __repr__(self) -> str:
        return f"<Drawn for {len(self.voucher_ids)} vouchers>"


def draw(group: Group, vouchers: int, slots: int, rng: Rng) -> Drawn:
    """Draw the randomness of `vouchers` vouchers of `slots` slots."""
    scalars = group.random_scalars(2 * vouchers * slots, rng).reshape(2, vouchers, slots, group.scalar_size)
    return Drawn(
        _uniform(rng, vouchers, VOUCHER_ID_SIZE),
        _uniform(rng, vouchers, KEY_SIZE),
        _uniform(rng, vouchers, KEY_SIZE),
        scalars[0],
        scalars[1],
        _uniform(rng, vouchers, slots, KEY_SIZE),
        _orders(rng, vouchers, slots),
    )


def _orders(rng: Rng, vouchers: int, slots: int) -> Indices:
    if slots == 1:
        return np.zeros((vouchers, 1), np.int64)
    return np.array([permutation(slots, rng) for _ in range(vouchers)], np.int64).reshape(vouchers, slots)


def permutation(size: int, rng: Rng) -> list[int]:
    """A uniform permutation of 0 … size − 1 (Fisher and Yates; 16 octets a step, bias below 2^-119 for 512)."""
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = int.from_bytes(rng(16), "big") % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def _uniform(rng: Rng, *shape: int) -> Rows:
    return np.frombuffer(rng(int(np.prod(shape))), np.uint8).reshape(shape)
