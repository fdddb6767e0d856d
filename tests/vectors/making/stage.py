"""The server's side of a transcript: a hash list, and three epochs of it with their tables and manifests."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.drbg import Drbg
from tpsi import (
    BlindedTable,
    Canary,
    CountBy,
    Group,
    ItemHash,
    Manifest,
    Probes,
    Role,
    Secret,
    Sharing,
    SignedManifest,
    Source,
    Synthetic,
    SyntheticMode,
    TableSecrets,
    group,
    sign_manifest,
)
from tpsi.groups import Rows
from tpsi.merkle import CHUNK_SIZE, leaves_of, root
from tpsi.signing import public_key
from tpsi.table import FuseGeometry, Layout, blind_items, canonical_items, hash_items, lay_out
from tpsi.table.building import _build

Record = dict[str, Any]

LISTED: Mapping[str, tuple[int, int]] = {
    # hash type: items of it, octets of a digest
    "md5": (7, 16),
    "sha512": (4, 64),
    "0-vendor.v2_32-octets-of-a-label": (5, 3),
}


def digest(label: str, name: object, size: int) -> ItemHash:
    """A made-up hash: nothing is hashed but its name."""
    return ItemHash(label, hashlib.shake_256(f"{label}/{name}".encode()).digest(size))


def md5(name: object) -> ItemHash:
    """A made-up md5."""
    return digest("md5", name, 16)


def hash_record(item: ItemHash) -> Record:
    """An item hash as transcripts write it."""
    return {"label": item.type, "digest": item.digest.hex(), "encoded": item.encode().hex()}


@dataclass(frozen=True)
class Scalars:
    """Random scalars with the uniform octets that they were made from."""

    wide: Rows
    scalars: Rows

    @classmethod
    def draw(cls, chosen: Group, count: int, rng: Drbg) -> "Scalars":
        """As `Group.random_scalars` draws them."""
        wide = np.frombuffer(rng(count * chosen.wide_size), np.uint8).reshape(count, -1)
        return cls(wide, chosen.scalars_from_wide(wide))

    def record(self, index: int) -> Record:
        """One of them."""
        return {"octets": self.wide[index].tobytes().hex(), "scalar": self.scalars[index].tobytes().hex()}


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key with its private seed, which a transcript shows."""

    role: Role
    seed: bytes

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        """The public key's octets."""
        return public_key(self.private)


@dataclass(frozen=True)
class Epoch:
    """One epoch: what the server has, what devices see, and the record of both."""

    secrets: TableSecrets
    table: BlindedTable
    manifest: Manifest
    envelope: SignedManifest
    spoiled: list[ItemHash]
    record: Record

    @property
    def content(self) -> bytes:
        """The table file."""
        return self.table.cells.tobytes()


@dataclass(frozen=True)
class Terms:
    """What differs between the epochs' manifests."""

    sharing: Sharing
    synthetic: Synthetic
    probes: Probes
    signers: Sequence[Signer]


class Stage:
    """The server: a list of 16 hashes of three types, the signing keys, and the epochs so far."""

    def __init__(self, suite: str, encoding: str, rng: Drbg) -> None:
        self.group = group(suite)
        self.encoding = encoding
        self.rng = rng
        names = [(label, n, size) for label, (count, size) in LISTED.items() for n in range(count)]
        self.items = sorted((digest(*entry) for entry in names), key=ItemHash.encode)
        self.encoded = canonical_items(self.items)
        self.list_id = rng(16)
        self.server = Signer(Role.SERVER, rng(32))
        self.auditor = Signer(Role.AUDITOR, rng(32))
        self.epochs: list[Epoch] = []

    def add_epochs(self) -> None:
        """Epoch 1 counts hashes, 2 items with up to three probes, 3 hashes on a hostile table."""
        both = (self.server, self.auditor)
        hashes, items = Sharing(3, 4, CountBy.HASH), Sharing(3, 4, CountBy.ITEM)
        replaced, added = Synthetic(SyntheticMode.REPLACE, 300_000), Synthetic(SyntheticMode.ADD, 400_000)
        none = Synthetic(SyntheticMode.NONE, 0)
        self.add_epoch(Terms(hashes, replaced, Probes(1, False), both), wanted=is_deep)
        self.add_epoch(Terms(items, added, Probes(3, True), both))
        self.add_epoch(Terms(hashes, none, Probes(1, False), (self.server,)), spoil=spoil)

    def add_epoch(
        self,
        terms: Terms,
        wanted: Callable[[Layout], bool] = lambda _layout: True,
        spoil: Callable[[BlindedTable], tuple[Rows, list[ItemHash]]] | None = None,
    ) -> None:
        """Build a table under a fresh α, perhaps replace some of its cells, and sign its manifest."""
        alpha = Scalars.draw(self.group, 1, self.rng)
        table_secrets = TableSecrets(Secret(alpha.scalars.tobytes()), Secret(self.rng(32)))
        layout, refused = self.find_layout(wanted)
        table = _build(self.group, layout, table_secrets, lambda *_: None).table
        cells, spoiled = spoil(table) if spoil else (table.cells, [])
        served = replace(table, cells=cells)
        manifest = self.manifest(terms, table_secrets, served)
        envelope = sign(manifest, terms.signers)
        blinded = blind_items(self.group, self.encoded, table_secrets)
        changed = np.flatnonzero((served.cells != table.cells).any(axis=1)).tolist()
        record = {
            "alpha": alpha.record(0),
            "key": manifest.key.hex(),
            "blinded": [row.tobytes().hex() for row in blinded],
            "fill_key": table_secrets.fill_key.reveal().hex(),
            "table": table_record(table, layout, refused),
            "hostile": [{"cell": c, "octets": served.cells[c].tobytes().hex()} for c in changed],
            "file": {"bytes": manifest.table_bytes, "chunk": CHUNK_SIZE, "root": manifest.root.hex()},
            "manifest": manifest.encoded.decode(),
            "digest": manifest.digest.hex(),
            "id": manifest.manifest_id.hex(),
            "signatures": [
                {
                    "role": signature.role.value,
                    "seed": signer.seed.hex(),
                    "key": signature.key.hex(),
                    "signature": signature.value.hex(),
                }
                for signer, signature in zip(terms.signers, envelope.signatures, strict=True)
            ],
            "envelope": envelope.encode().decode(),
        }
        self.epochs.append(Epoch(table_secrets, served, manifest, envelope, spoiled, record))

    def find_layout(self, wanted: Callable[[Layout], bool]) -> tuple[Layout, list[bytes]]:
        """A layout of the wanted kind, after at least one seed that does not place every item: the last such."""
        refused: list[bytes] = []
        while True:
            seed = self.rng(32)
            layout = lay_out(self.encoding, self.encoded, seed)
            if layout is None:
                refused = [seed]
            elif refused and wanted(layout):
                return layout, refused

    def manifest(self, terms: Terms, table_secrets: TableSecrets, table: BlindedTable) -> Manifest:
        """The manifest of the next epoch."""
        canary = next(item for item in self.items if item.type == "md5")
        return Manifest(
            list_id=self.list_id,
            name='Prüfliste "A" \\ 清单 🔒',
            epoch=len(self.epochs) + 1,
            previous=self.epochs[-1].manifest.digest if self.epochs else None,
            created=1_767_225_600 + 86_400 * len(self.epochs),
            suite=self.group.suite,
            key=table_secrets.public_key(self.group),
            encoding=self.encoding,
            items=len(self.encoded),
            seed=table.seed,
            root=file_root(table.cells.tobytes()),
            types=tuple(sorted({item.type for item in self.items})),
            sources=(Source("first", 16), Source("second", 9)),
            minimum_sources=1,
            sharing=terms.sharing,
            synthetic=terms.synthetic,
            probes=terms.probes,
            canary=Canary("a picture", self.rng(32), (canary,)) if len(self.epochs) == 1 else None,
        )

    def list_record(self) -> list[Record]:
        """The list, with H(x) of every item."""
        hashed = hash_items(self.group, self.encoded)
        rows = zip(self.items, hashed, strict=True)
        return [hash_record(item) | {"element": row.tobytes().hex()} for item, row in rows]


def file_root(content: bytes) -> bytes:
    """The root of a file's digest tree."""
    return root(leaves_of([content[i : i + CHUNK_SIZE] for i in range(0, len(content), CHUNK_SIZE)]))


def sign(manifest: Manifest, signers: Sequence[Signer]) -> SignedManifest:
    """The manifest with one signature by each signer."""
    return SignedManifest(manifest, tuple(sign_manifest(manifest, s.role, s.private) for s in signers))


def is_deep(layout: Layout) -> bool:
    """Whether a layout shows what small ones rarely do: several rounds, and for cuckoo a cycle as well."""
    cyclic = layout.geometry.encoding == "fuse" or len(layout.peeling.remaining) > 2
    return cyclic and len(layout.peeling.rounds) >= 3


def table_record(table: BlindedTable, layout: Layout, refused: list[bytes]) -> Record:
    """Geometry, placement and cells as they were built."""
    sizes = {"cells": table.geometry.cells, "encoding": table.geometry.encoding}
    sizes |= {"items": table.geometry.items, "seed": table.seed.hex()}
    if isinstance(table.geometry, FuseGeometry):
        sizes |= {"segment_length": table.geometry.segment_length, "segments": table.geometry.segments}
    owners = layout.assigned.tolist()
    return {
        "geometry": sizes,
        "refused_seeds": [seed.hex() for seed in refused],
        "positions": layout.positions.tolist(),
        "rounds": [[[item, owners[item]] for item in sorted(r.tolist())] for r in layout.peeling.rounds],
        "cycles": cycles(layout),
        "cells": [row.tobytes().hex() for row in table.cells],
    }


def cycles(layout: Layout) -> list[list[list[int]]]:
    """The cycles of a cuckoo layout as (cell, item), each from its lowest cell on."""
    item_at = {int(layout.assigned[item]): item for item in layout.peeling.remaining.tolist()}
    result = []
    while item_at:
        cell, cycle = min(item_at), []
        while cell in item_at:
            item = item_at.pop(cell)
            cycle.append([cell, item])
            cell = next(other for other in layout.positions[item].tolist() if other != cell)
        result.append(cycle)
    return result


def md5_avoiding(table: BlindedTable, taken: set[int], name: str) -> tuple[ItemHash, list[int]]:
    """An unlisted md5 whose cells are none of the taken ones, and its cells."""
    for attempt in range(10_000):
        item = md5(f"{name} {attempt}")
        cells = [int(c) for c in table.geometry.positions([item.encode()], table.seed)[0]]
        if taken.isdisjoint(cells):
            return item, cells
    raise LookupError("no such item")


def spoil(table: BlindedTable) -> tuple[Rows, list[ItemHash]]:
    """The cells of a hostile server, and items that get a bad candidate: every kind that the encoding has."""
    cells, items, taken = table.cells.copy(), [], set[int]()
    last = "sum" if table.geometry.encoding == "fuse" else "repeated"
    for kind in ("invalid", "zeros", last):
        item, own = md5_avoiding(table, taken, kind)
        items.append(item)
        taken |= set(own)
        if kind == "invalid":
            cells[own[0]] = 0xFF
        elif kind == "zeros":
            cells[own[0]] = 0
        elif kind == "repeated":
            cells[own[1]] = cells[own[0]]
        else:  # three valid cells whose sum is the identity
            total = table.group.add(cells[own[:1]], cells[own[1:2]])
            cells[own[2]] = table.group.subtract(np.zeros_like(total), total)[0]
    return cells, items
