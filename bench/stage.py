"""What is measured on: a list, its table under a manifest, a device of one account, and items of the device."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bench.errors import BenchError
from bench.settings import LIBRARIES, LIBRARY, NATIVE
from tpsi import (
    BuiltTable,
    Device,
    Group,
    Item,
    ItemHash,
    Manifest,
    Pool,
    Secret,
    Sharing,
    Submission,
    Synthetic,
    SyntheticMode,
    build_table,
    derive,
    group,
    match,
    seal,
)
from tpsi.groups import Rows
from tpsi.merkle import CHUNK_SIZE, leaves_of, root
from tpsi.parameters import Probes
from tpsi.table import blind_items
from tpsi.trial import trial_manifest

ACCOUNT = "bench"
HASH_TYPE = "sha256"
#: Vouchers carry 17 field elements: the largest share for which the promise on a voucher's size holds.
SHARING = Sharing(30, 16)


def name(kind: str, number: int) -> str:
    """Names a hash, the same in every process and for the peer."""
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def listed_hashes(count: int) -> Iterator[ItemHash]:
    """The hashes of a list."""
    return (ItemHash(HASH_TYPE, bytes.fromhex(name("listed", number))) for number in range(count))


def device_items(count: int, associated: int = 0, kind: str = "device") -> list[Item]:
    """Items of a device, with octets of associated data; of kind `listed` they match, of any other they don't."""
    hashes = [ItemHash(HASH_TYPE, bytes.fromhex(name(kind, number))) for number in range(count)]
    return [Item(item.digest[:16], (item,), bytes(associated)) for item in hashes]


def describe(suite: str, encoding: str, built: BuiltTable) -> Manifest:
    """A manifest for a table, without synthetic vouchers: each item's voucher then costs the same."""
    table, file = built.table, built.table.cells.reshape(-1)
    return trial_manifest(
        table.geometry.items,
        sharing=SHARING,
        synthetic=Synthetic(SyntheticMode.NONE, 0),
        probes=Probes(),
        types=(HASH_TYPE,),
        suite=suite,
        encoding=encoding,
        key=built.secrets.public_key(group(suite)),
        seed=table.seed,
        root=root(leaves_of(file[at : at + CHUNK_SIZE].tobytes() for at in range(0, len(file), CHUNK_SIZE))),
    )


def device_of(manifest: Manifest, built: BuiltTable) -> Device:
    """A device of the benchmark's account."""
    keys = derive(Secret(bytes(32)), Pool(manifest.list_id, 0, manifest.sharing))
    return Device(manifest, built.table, keys, ACCOUNT)


@dataclass(frozen=True)
class Stage:
    """One suite and one table encoding, with a table of `listed` hashes."""

    suite: str
    encoding: str
    listed: int

    @property
    def group(self) -> Group:
        """The suite's group."""
        return group(self.suite)

    @property
    def backend(self) -> str:
        """What computes in the group."""
        return LIBRARIES[self.suite] if getattr(self.group, "backend", LIBRARY) == LIBRARY else NATIVE

    @cached_property
    def hashes(self) -> tuple[ItemHash, ...]:
        """The list."""
        return tuple(listed_hashes(self.listed))

    @cached_property
    def built(self) -> BuiltTable:
        """The table."""
        return build_table(self.group, self.encoding, self.hashes)

    @cached_property
    def blinded(self) -> Rows:
        """What the table encodes."""
        return blind_items(self.group, self.built.layout.items, self.built.secrets)

    @cached_property
    def manifest(self) -> Manifest:
        """The table's manifest."""
        return describe(self.suite, self.encoding, self.built)

    @cached_property
    def device(self) -> Device:
        """A device that has the table."""
        return device_of(self.manifest, self.built)

    def vouchers(self, count: int, kind: str = "device") -> list[bytes]:
        """Sealed vouchers, without associated data."""
        return [voucher.data for voucher in seal(self.device, device_items(count, kind=kind)).vouchers]

    def matches(self, vouchers: list[bytes]) -> int:
        """Decode and match vouchers, as a server does with those that it took in: how many open."""
        submissions = [Submission(ACCOUNT, data) for data in vouchers]
        return sum(opened is not None for opened in match(self.manifest, self.built.secrets, submissions))

    def check(self) -> None:
        """BenchError unless listed items match here and others don't: nothing broken is to be measured."""
        if self.matches(self.vouchers(3, "listed")) != 3 or self.matches(self.vouchers(3)) != 0:
            raise BenchError(f"{self.suite} with the {self.encoding} table matches wrongly: its costs mean nothing")
