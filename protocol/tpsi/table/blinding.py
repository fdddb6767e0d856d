"""Blinding the list: V_x = α·H(x) for every item hash (specification, section 4)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tpsi.errors import BuildError, CallerError
from tpsi.groups import Group, Rng, Rows
from tpsi.labels import FILL_DST, ITEM_DST
from tpsi.secret import Secret

FILL_KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class TableSecrets:
    """What the server keeps of one table: the encoded scalar α, and the key of its fill cells."""

    alpha: Secret
    fill_key: Secret

    @classmethod
    def draw(cls, group: Group, rng: Rng = secrets.token_bytes) -> "TableSecrets":
        """Fresh secrets; every table has its own."""
        return cls(Secret(group.random_scalars(1, rng).tobytes()), Secret(rng(FILL_KEY_SIZE)))

    def scalar(self, group: Group) -> Rows:
        """(1, scalar_size): α. Raises CallerError if it is not a non-zero scalar of this group."""
        if len(self.alpha) != group.scalar_size:
            raise CallerError("the table's secret scalar is not one of this suite")
        row = np.frombuffer(self.alpha.reveal(), np.uint8).reshape(1, -1)
        if group.decode_scalars(row) == [0]:
            raise CallerError("the table's secret scalar is zero")
        return row

    def public_key(self, group: Group) -> bytes:
        """L = α·G, encoded."""
        return group.multiply_base(self.scalar(group)).tobytes()


def hash_items(group: Group, items: Sequence[bytes]) -> Rows:
    """(n, element_size): H(y) of every encoded item hash."""
    return group.hash_to_group(items, item_tag(group))


def item_tag(group: Group) -> bytes:
    """The domain-separation tag of H."""
    return ITEM_DST + group.suite.encode()


def fill_elements(group: Group, fill_key: Secret, cells: Sequence[int]) -> Rows:
    """(n, element_size): the fill of every numbered cell."""
    key = fill_key.reveal()
    return group.hash_to_group([key + c.to_bytes(8, "big") for c in cells], FILL_DST + group.suite.encode())


def blind_items(group: Group, items: Sequence[bytes], table_secrets: TableSecrets) -> Rows:
    """(n, element_size): V_x = α·H(x) of every encoded item hash.

    Raises BuildError if one is the identity: probability about n / order; start again with fresh secrets.
    """
    blinded = group.blind(table_secrets.scalar(group), items, item_tag(group))
    if not blinded.any(axis=1).all():
        raise BuildError("an item was blinded to the identity: start again with fresh secrets")
    return blinded
