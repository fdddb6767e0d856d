"""Matching: the server tries to open vouchers with α (specification, section 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tpsi import field
from tpsi.bulk import open_many
from tpsi.errors import CallerError
from tpsi.groups import Group
from tpsi.groups.rows import join_rows
from tpsi.manifest import Manifest
from tpsi.symmetric import KEY_SIZE, open_sealed
from tpsi.table import TableSecrets
from tpsi.voucher import Voucher, context, payload_data, slot_data, slot_keys


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
    """Try all slots in voucher order; the first whose ct and rct both open counts."""
    group: Group = manifest.group
    slots = [(index, slot) for index, submission in enumerate(submissions) for slot in submission.voucher.slots]
    if not slots:
        return [None] * len(submissions)
    q = join_rows([slot.q for _, slot in slots], group.element_size)
    # An invalid element opens nothing; nor does the identity, from which everybody could make the key.
    products, valid = group.multiply_untrusted(table_secrets.scalar(group), q)
    bound = [context(manifest, one.voucher.header, one.account) for one in submissions]
    data = [slot_data(one) for one in bound]
    tried = [slot for slot, good in zip(slots, valid.tolist(), strict=True) if good]
    keks = slot_keys(manifest, products[valid], q[valid])
    contents = open_many(keks, [slot.ct for _, slot in tried], [data[index] for index, _ in tried])
    opened: list[Opened | None] = [None] * len(submissions)
    for (index, _), content in zip(tried, contents, strict=True):
        if content is not None and opened[index] is None:
            opened[index] = _open(submissions[index].voucher, content, payload_data(bound[index]))
    return opened


def _open(voucher: Voucher, content: bytes, data: bytes) -> Opened | None:
    """What follows from a slot's content, rkey and share; None if the rct does not open with it."""
    adct = open_sealed(content[:KEY_SIZE], voucher.rct, data)
    if adct is None:
        return None
    return Opened(voucher.header.voucher_id, voucher.header.generation, content[KEY_SIZE:], adct)
