"""From the opened vouchers of a pool to what is revealed (specification, section 9)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tpsi import field
from tpsi.account import Pool, ad_key
from tpsi.decoding import WORK_LIMIT
from tpsi.detection import Outcome, detect
from tpsi.errors import DecodeError
from tpsi.groups import Rng
from tpsi.labels import Label
from tpsi.matching import Opened
from tpsi.secret import Secret
from tpsi.symmetric import open_sealed
from tpsi.voucher import item_key, unpad


class Verdict(Enum):
    """What became of one opened voucher of a pool that was examined."""

    REVEALED = "revealed"  # its share is real, and its associated data opened
    REJECTED = "rejected"  # its share is not on the curve: synthetic, or hostile
    UNOPENED = "unopened"  # its share is real, but its associated data does not open: hostile or broken
    CONFLICTING = "conflicting"  # another share with the same coordinate differs: hostile
    MALFORMED = "malformed"  # not a share: hostile
    WITHHELD = "withheld"  # nothing is known of it: the pool is not revealed


@dataclass(frozen=True, slots=True)
class Examination:
    """The outcome for a pool.

    `shares`: distinct shares there are; `tried`: the most of them that were decoded at once, fewer than `shares` if
    the outcome is undecided because of the bound on work. `verdicts[i]` and `associated[i]` belong to the i-th opened
    voucher; `associated[i]` is None unless it was revealed. `ad_key` is there once the pool is revealed: it opens later
    matches.
    """

    outcome: Outcome
    shares: int
    tried: int
    verdicts: tuple[Verdict, ...]
    associated: tuple[bytes | None, ...]
    ad_key: Secret | None

    def __repr__(self) -> str:
        return f"<Examination {self.outcome.name} of {len(self.verdicts)} vouchers>"


def examine(
    pool: Pool, opened: Sequence[Opened], *, rng: Rng = secrets.token_bytes, limit: int = WORK_LIMIT
) -> Examination:
    """Detect the real shares among the opened vouchers of one pool and open their associated data.

    Nothing is believed but a secret whose key opens an adct. Never raises for what a device sent. `limit` bounds the
    work of decoding (`decoding.WORK_LIMIT`: some seconds); classifying all shares takes N·u·t multiplications on top.
    """
    usable, table = _shares(opened, pool.sharing.rows)

    def opens(shared_secret: bytes, candidates: Sequence[int]) -> bool:
        key = ad_key(Secret(shared_secret), pool)
        return any(open_associated(key, opened[usable[i]]) is not None for i in candidates)

    found = detect(table[:, 0], table[:, 1:], pool.sharing.threshold, opens, rng=rng, limit=limit)
    key = ad_key(found.curve.secret, pool) if found.curve else None
    verdicts = [Verdict.MALFORMED] * len(opened)
    associated: list[bytes | None] = [None] * len(opened)
    for row, index in enumerate(usable):
        if found.conflicting[row]:
            verdicts[index] = Verdict.CONFLICTING
        elif key is None:
            verdicts[index] = Verdict.WITHHELD
        elif not found.real[row]:
            verdicts[index] = Verdict.REJECTED
        else:
            associated[index] = open_associated(key, opened[index])
            verdicts[index] = Verdict.UNOPENED if associated[index] is None else Verdict.REVEALED
    return Examination(found.outcome, found.distinct, found.tried, tuple(verdicts), tuple(associated), key)


def open_associated(key: Secret, opened: Opened) -> bytes | None:
    """The associated data of an opened voucher under k_ad; None if it does not open or is not padded as it must be."""
    one_time = item_key(key.reveal(), opened.voucher_id)
    padded = open_sealed(one_time, opened.adct, Label.AD + opened.voucher_id)
    if padded is None:
        return None
    try:
        return unpad(padded)
    except DecodeError:
        return None


def _shares(opened: Sequence[Opened], rows: int) -> tuple[list[int], field.Elements]:
    """The places of the shares that are not malformed, and their field elements (n, u + 1)."""
    whole = [index for index, one in enumerate(opened) if len(one.share) == field.ELEMENT_SIZE * (rows + 1)]
    values = np.frombuffer(b"".join([opened[index].share for index in whole]), ">u8").astype(np.uint64)
    values = values.reshape(len(whole), rows + 1)
    sound = (values < np.uint64(field.P)).all(axis=1) & (values[:, 0] != 0)
    return np.array(whole, np.int64)[sound].tolist(), values[sound]
