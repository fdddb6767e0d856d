"""Lists and their epochs for tests of the device: built once, signed, with a canary."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.drbg import Drbg
from tests.support.world import file_root
from tpsi import (
    BuiltTable,
    Canary,
    CountBy,
    ItemHash,
    Manifest,
    Opened,
    Probes,
    Role,
    Sharing,
    SignedManifest,
    Source,
    Submission,
    Synthetic,
    SyntheticMode,
    build_table,
    group,
    match,
    sign_manifest,
)
from tpsi.canary import CANARY_HASHES, CANARY_NAME, canary_picture
from tpsi.merkle import CHUNK_SIZE, leaves_of

SUITE = "TPSI-RISTRETTO255-SHA512"
LIST_ID = bytes(range(16))
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
SERVER_KEY = SIGNING_KEY.public_key().public_bytes_raw()
LIST_NAME = "a test list"
#: Cover on paper only, so that what opens is what matches.
RARE = Synthetic(SyntheticMode.REPLACE, 1)
#: Its table has three chunks and a part of a fourth.
FILLERS = 5000


@dataclass(frozen=True)
class Epoch:
    """One epoch: the table with its secrets, the manifest, and what a server hands out of them."""

    manifest: Manifest
    built: BuiltTable
    envelope: bytes

    @property
    def table(self) -> bytes:
        """The table file."""
        return self.built.table.cells.tobytes()

    @property
    def leaves(self) -> list[bytes]:
        """The leaves of its digest tree."""
        data = self.table
        return leaves_of([data[i : i + CHUNK_SIZE] for i in range(0, len(data), CHUNK_SIZE)])

    def following(self, **changes: object) -> "Epoch":
        """The next epoch, with the same table (which is all the same to a device) and these members changed."""
        members: dict[str, object] = {"epoch": self.manifest.epoch + 1, "previous": self.manifest.digest}
        return self.altered(**(members | changes))

    def altered(self, **changes: object) -> "Epoch":
        """The same epoch with members of its manifest changed, signed properly."""
        manifest = replace(self.manifest, **changes)  # type: ignore[arg-type]
        return Epoch(manifest, self.built, sign(manifest))

    def open(self, account: str, vouchers: Sequence[bytes]) -> list[Opened | None]:
        """What the server gets to see of vouchers."""
        submissions = [Submission(account, data) for data in vouchers]
        return match(self.manifest, self.built.secrets, submissions)


def sign(manifest: Manifest, key: Ed25519PrivateKey = SIGNING_KEY) -> bytes:
    """The signed manifest's bytes."""
    return SignedManifest(manifest, (sign_manifest(manifest, Role.SERVER, key),)).encode()


def sha256(content: bytes) -> ItemHash:
    """The sha256 of a file, as an item hash."""
    return ItemHash("sha256", hashlib.sha256(content).digest())


def canary(types: Sequence[str], **wrong: str) -> Canary:
    """The default canary with hashes of these types; some may be given wrongly."""
    hashes = tuple(ItemHash.parse(f"{label}:{wrong.get(label, CANARY_HASHES[label])}") for label in types)
    return Canary(CANARY_NAME, hashlib.sha256(canary_picture()).digest(), hashes)


@cache
def first_epoch(
    listed: tuple[ItemHash, ...] = (),
    types: tuple[str, ...] = ("sha256",),
    *,
    fillers: int = 200,
    sharing: Sharing = Sharing(3, 4),  # noqa: B008 - frozen
    synthetic: Synthetic = RARE,
    count_by: CountBy = CountBy.HASH,
    seed: str = "epoch",
) -> Epoch:
    """Epoch 1 of a list that holds `listed`, the canary, and fillers."""
    rng = Drbg(seed)
    chosen = group(SUITE)
    known = canary(types)
    items = [*listed, *known.hashes, *(sha256(f"filler {number}".encode()) for number in range(fillers))]
    built = build_table(chosen, "fuse", items, rng=rng)
    manifest = Manifest(
        list_id=LIST_ID,
        name=LIST_NAME,
        epoch=1,
        previous=None,
        created=1_700_000_000,
        suite=SUITE,
        key=built.secrets.public_key(chosen),
        encoding="fuse",
        items=built.table.geometry.items,
        seed=built.table.seed,
        root=file_root(built.table.cells),
        types=types,
        sources=(Source("test", len(items)),),
        minimum_sources=1,
        sharing=replace(sharing, count_by=count_by),
        synthetic=synthetic,
        probes=Probes(1, False),
        canary=known,
    )
    return Epoch(manifest, built, sign(manifest))
