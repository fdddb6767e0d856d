"""Matching: the server tries to open vouchers with α (specification, section 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tpsi import field
from tpsi.bulk import open_many
from tpsi.errors import CallerError
from tpsi.groups import Group
from tpsi.manifest import Manifest
from tpsi.packing import unpack_slots
from tpsi.symmetric import KEY_SIZE, open_sealed
from tpsi.table import TableSecrets
from tpsi.voucher import Voucher, contexts, payload_data, slot_data, slot_keys


class Submission(NamedTuple):
    """A voucher's octets, and the account that it was delivered for."""

    account: str
    voucher: bytes

    def __repr__(self) -> str:
        return f"<Submission of {len(self.voucher)} octets>"


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

    Raises DecodeError if one is no voucher of this manifest (`decode_header` tells, where they are taken in), and for
    nothing else that a device sent: an invalid element spoils its own slot. Raises CallerError if the secrets are not
    those of the manifest's table.
    """
    if table_secrets.public_key(manifest.group) != manifest.key:
        raise CallerError("these are the secrets of another table than the manifest's")
    return _match(manifest, table_secrets, submissions)


def _match(manifest: Manifest, table_secrets: TableSecrets, submissions: Sequence[Submission]) -> list[Opened | None]:
    """Try all slots in voucher order; the first whose ct and rct both open counts."""
    group: Group = manifest.group
    vouchers = [submission.voucher for submission in submissions]
    slots = unpack_slots(vouchers, manifest)
    # What an invalid element opens does not count; nor the identity's, from which everybody could make the key.
    products, valid = group.multiply_untrusted(table_secrets.scalar(group), slots.q)
    bound = contexts(manifest, vouchers, [submission.account for submission in submissions])
    contents = open_many(slot_keys(manifest, products, slots.q), slots.ct, [slot_data(one) for one in bound])
    opened: list[Opened | None] = [None] * len(submissions)
    for row, content in enumerate(contents):
        owner = row // manifest.slots
        if content is not None and valid[row] and opened[owner] is None:
            opened[owner] = _open(Voucher.decode(vouchers[owner], manifest), content, payload_data(bound[owner]))
    return opened


def _open(voucher: Voucher, content: bytes, data: bytes) -> Opened | None:
    """What follows from a slot's content, rkey and share; None if the rct does not open with it."""
    adct = open_sealed(content[:KEY_SIZE], voucher.rct, data)
    if adct is None:
        return None
    return Opened(voucher.header.voucher_id, voucher.header.generation, content[KEY_SIZE:], adct)
