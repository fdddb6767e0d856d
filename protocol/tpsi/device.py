"""What a device seals, and what it seals with (specification, sections 6 and 7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tpsi.account import AccountKeys, identifier_subject
from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi.manifest import Manifest
from tpsi.parameters import CountBy
from tpsi.table import LookupTable
from tpsi.voucher import encode_account


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a device: its identifier (1 to 64 octets), its probes, the likeliest first, and associated data.

    Without perceptual probing `probes` is the item's one hash.
    """

    identifier: bytes
    probes: tuple[ItemHash, ...]
    associated: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        identifier_subject(self.identifier)
        if not self.probes or len(set(self.probes)) != len(self.probes):
            raise CallerError("an item has at least one probe, and no probe twice")


@dataclass(frozen=True, slots=True)
class Device:
    """What stays the same while a device seals under one manifest.

    Raises CallerError if table and keys do not belong to the manifest; `account` is its name at the server.
    """

    manifest: Manifest
    table: LookupTable
    keys: AccountKeys
    account: str

    def __post_init__(self) -> None:
        manifest, table, pool = self.manifest, self.table, self.keys.pool
        if (table.group.suite, table.geometry, table.seed) != (
            manifest.suite,
            manifest.geometry,
            manifest.seed,
        ):
            raise CallerError("the table is not the one that the manifest describes")
        if (pool.list_id, pool.sharing) != (manifest.list_id, manifest.sharing):
            raise CallerError("the account keys were derived for another list or other sharing parameters")
        encode_account(self.account)

    @property
    def counts_hashes(self) -> bool:
        """Whether hashes are counted, not items."""
        return self.manifest.sharing.count_by is CountBy.HASH

    def decision_subjects(self, items: Iterable[Item]) -> list[bytes]:
        """z of each item's first probe: what its synthetic decision and share are functions of (6.3, 6.4)."""
        if self.counts_hashes:
            return [item.probes[0].encode() for item in items]
        return [identifier_subject(item.identifier) for item in items]
