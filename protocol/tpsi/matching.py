"""Matching: the server tries to open vouchers with α (specification, section 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tpsi import field
from tpsi.errors import CallerError
from tpsi.groups import Group
from tpsi.manifest import Manifest
from tpsi.symmetric import KEY_SIZE, open_sealed
from tpsi.table import TableSecrets
from tpsi.voucher import Voucher, context, payload_data, slot_data, slot_key


@dataclass(frozen=True, slots=True)
class Submission:
    """A decoded voucher and the account that it was delivered for."""

    account: str
    voucher: Voucher


@dataclass(frozen=True, slots=True)
class Opened:
    """What a voucher that opens gives: its share, and the inner ciphertext, which opens only after a reveal.

    `malformed`: the share is not a non-zero coordinate and field elements; it takes no part in detection.
    """

    voucher_id: bytes
    generation: int
    share: bytes
    adct: bytes

    @property
    def malformed(self) -> bool:
        """Whether the share is outside of the field or at coordinate zero."""
        values = field.decode(self.share)
        return values is None or len(values) == 0 or int(values[0]) == 0

    def __repr__(self) -> str:
        return f"<Opened voucher {self.voucher_id.hex()}>"


def match(manifest: Manifest, table_secrets: TableSecrets, submissions: Sequence[Submission]) -> list[Opened | None]:
    """For every submission what it opens to, or None: no match.

    Never raises for what a device sent: an invalid element spoils its own slot. Raises CallerError if the
    secrets are not those of the manifest's table.
    """
    if table_secrets.public_key(manifest.group) != manifest.key:
        raise CallerError("these are the secrets of another table than the manifest's")
    return _match(manifest, table_secrets, submissions)


def _match(manifest: Manifest, table_secrets: TableSecrets, submissions: Sequence[Submission]) -> list[Opened | None]:
    group: Group = manifest.group
    slots = [slot for submission in submissions for slot in submission.voucher.slots]
    if not slots:
        return [None] * len(submissions)
    q = np.frombuffer(b"".join([slot.q for slot in slots]), np.uint8).reshape(-1, group.element_size)
    # An invalid element opens nothing; nor does the identity, from which everybody could make the key.
    products, valid = group.multiply_untrusted(table_secrets.scalar(group), q)
    joined, size = products.tobytes(), group.element_size
    s = [joined[i * size : (i + 1) * size] if good else None for i, good in enumerate(valid.tolist())]
    opened: list[Opened | None] = []
    start = 0
    for submission in submissions:
        end = start + len(submission.voucher.slots)
        opened.append(_open(manifest, submission, s[start:end]))
        start = end
    return opened


def _open(manifest: Manifest, submission: Submission, points: Sequence[bytes | None]) -> Opened | None:
    """Try the slots in voucher order; the first whose ct and rct both open counts."""
    voucher = submission.voucher
    bound = context(manifest, voucher.header, submission.account)
    for slot, s in zip(voucher.slots, points, strict=True):
        if s is None:
            continue
        content = open_sealed(slot_key(manifest, s, slot.q), slot.ct, slot_data(bound))
        if content is None:
            continue
        adct = open_sealed(content[:KEY_SIZE], voucher.rct, payload_data(bound))
        if adct is not None:
            return Opened(voucher.header.voucher_id, voucher.header.generation, content[KEY_SIZE:], adct)
    return None
