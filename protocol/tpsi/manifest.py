"""The manifest: all that a device needs to trust and use a table (specification, section 5)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

from tpsi import canonical, members
from tpsi.errors import CallerError, DecodeError, TpsiError
from tpsi.groups import SUITES, Group, group
from tpsi.items import ItemHash, is_label
from tpsi.labels import Label
from tpsi.merkle import CHUNK_SIZE, DIGEST_SIZE
from tpsi.parameters import CountBy, Probes, Sharing, Synthetic, SyntheticMode
from tpsi.table.geometry import SEED_SIZE, FuseGeometry, Geometry, geometry

VERSION = 1
LIST_ID_SIZE = 16
MANIFEST_ID_SIZE = 16
SOURCE_KEY_SIZE = 32
MAX_NAME = 200
MAX_SOURCES = 256
MAX_TYPES = 64
MAX_CANARY_HASHES = 16
#: Control characters, those that turn the direction of text, line separators, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_M = TypeVar("_M", bound="Manifest")


@dataclass(frozen=True, slots=True)
class SignedList:
    """That a source signed its list: its public key (32 octets), and the blinded digest of the list (section 16.6)."""

    key: bytes
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.key) != SOURCE_KEY_SIZE or len(self.digest) != DIGEST_SIZE:
            raise CallerError("the key of a source and the digest of its list have 32 octets")


@dataclass(frozen=True, slots=True)
class Source:
    """A list that went into the table, how many hashes it names, and whether its source signed it."""

    name: str
    items: int
    signed: SignedList | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not 0 <= self.items <= canonical.MAX_INTEGER:
            raise CallerError("a source names 0 to 2^53 - 1 items")


@dataclass(frozen=True, slots=True)
class Canary:
    """A published picture that the list holds, with the hashes that a device must find for it."""

    name: str
    sha256: bytes
    hashes: tuple[ItemHash, ...]

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.sha256) != DIGEST_SIZE or not 1 <= len(self.hashes) <= MAX_CANARY_HASHES:
            raise CallerError("a canary has a SHA-256 digest and 1 to 16 hashes")


@dataclass(frozen=True)
class Manifest:
    """One epoch of one list. The constructor checks every rule of section 5 that needs no other data.

    `list_id` 16 octets; `previous` 32 octets or None in epoch 1; `created` in seconds since 1970; `key` is L, encoded,
    `seed` and `root` 32 octets; the table's sizes follow from `encoding` and `items`.
    """

    list_id: bytes
    name: str
    epoch: int
    previous: bytes | None
    created: int
    suite: str
    key: bytes
    encoding: str
    items: int
    seed: bytes
    root: bytes
    types: tuple[str, ...]
    sources: tuple[Source, ...]
    minimum_sources: int
    sharing: Sharing
    synthetic: Synthetic
    probes: Probes
    canary: Canary | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.suite not in SUITES:
            raise CallerError(f"ciphersuite {self.suite!r} is not one of {', '.join(SUITES)}")
        geometry(self.encoding, self.items)  # raises for an unknown encoding or an impossible number of items
        sizes = (self.list_id, LIST_ID_SIZE), (self.seed, SEED_SIZE), (self.root, DIGEST_SIZE)
        if any(len(value) != size for value, size in sizes) or len(self.key) != self.group.element_size:
            raise CallerError("the list id, seed, root or key of a manifest has the wrong length")
        if max(self.epoch, self.created) > canonical.MAX_INTEGER:
            raise CallerError("epoch and time of creation are below 2^53")
        if self.epoch < 1 or (self.previous is None) != (self.epoch == 1) or self.created < 0:
            raise CallerError("epochs count from 1, and all but the first name the one before")
        if self.previous is not None and len(self.previous) != DIGEST_SIZE:
            raise CallerError("the digest of the previous manifest has the wrong length")
        if not 1 <= len(self.types) <= MAX_TYPES or list(self.types) != sorted(set(self.types)):
            raise CallerError("hash types are sorted, distinct, and 1 to 64")
        if not all(is_label(label) for label in self.types):
            raise CallerError("a hash type is not a valid label")
        names = [source.name for source in self.sources]
        if not 1 <= len(names) <= MAX_SOURCES or names != sorted(set(names)):
            raise CallerError("sources are sorted by name, distinct, and 1 to 256")
        if not 1 <= self.minimum_sources <= len(names):
            raise CallerError("the number of sources that must name a hash is 1 to the number of sources")
        if len(self.encoded) > canonical.MAX_SIZE:
            raise CallerError(f"a manifest has at most {canonical.MAX_SIZE} octets: shorten the names of the sources")

    @property
    def group(self) -> Group:
        """The group of the suite."""
        return group(self.suite)

    @property
    def geometry(self) -> Geometry:
        """The table's geometry; it follows from encoding and number of items."""
        return geometry(self.encoding, self.items)

    @cached_property
    def slots(self) -> int:
        """Slots of every voucher: probes times candidates."""
        return self.probes.per_item * self.geometry.candidates

    @property
    def table_bytes(self) -> int:
        """The length of the table file."""
        return self.geometry.cells * self.group.element_size

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(_to_json(self))

    @cached_property
    def digest(self) -> bytes:
        """D: 32 octets, bound into every ciphertext of a voucher."""
        return hashlib.sha256(Label.MANIFEST + self.encoded).digest()

    @cached_property
    def manifest_id(self) -> bytes:
        """The first 16 octets of the digest: what a voucher carries."""
        return self.digest[:MANIFEST_ID_SIZE]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encoded`; DecodeError for anything that is not exactly a manifest's canonical bytes.

        Sizes in the manifest that are not those of the published formula are refused here (check 4).
        """
        value = canonical.decode(data, "the manifest")
        if value.get("version") != VERSION:
            raise DecodeError(f"the manifest is not of version {VERSION}; is this program too old for it?")
        try:
            manifest = _from_json(cls, value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error) if isinstance(error, TpsiError) else "a member is missing or of the wrong kind"
            raise DecodeError(f"the manifest is malformed: {reason}") from None
        if manifest.encoded != data:
            raise DecodeError("the manifest has sizes or members that do not follow from its others")
        return manifest


def _check_name(text: str) -> None:
    if not 1 <= len(text) <= MAX_NAME or _UNPRINTABLE.search(text):
        raise CallerError(f"a name is 1 to {MAX_NAME} printable characters")


def _to_json(m: Manifest) -> canonical.Json:
    shape = m.geometry
    table: dict[str, Any] = {
        "cells": shape.cells,
        "encoding": m.encoding,
        "items": m.items,
        "seed": m.seed.hex(),
    }
    if isinstance(shape, FuseGeometry):
        table |= {"segment_length": shape.segment_length, "segments": shape.segments}
    canary = m.canary and {
        "hashes": [str(item) for item in m.canary.hashes],
        "name": m.canary.name,
        "sha256": m.canary.sha256.hex(),
    }
    return {
        "version": VERSION,
        "list": m.list_id.hex(),
        "name": m.name,
        "epoch": m.epoch,
        "previous": m.previous and m.previous.hex(),
        "created": m.created,
        "suite": m.suite,
        "key": m.key.hex(),
        "table": table,
        "file": {"bytes": m.table_bytes, "chunk": CHUNK_SIZE, "root": m.root.hex()},
        "types": list(m.types),
        "sources": [_source_to_json(source) for source in m.sources],
        "minimum_sources": m.minimum_sources,
        "sharing": {
            "count_by": m.sharing.count_by.value,
            "rows": m.sharing.rows,
            "threshold": m.sharing.threshold,
        },
        "synthetic": {"mode": m.synthetic.mode.value, "per_million": m.synthetic.per_million},
        "probes": {"per_item": m.probes.per_item, "separated": m.probes.separated},
        "canary": canary,
    }


def _from_json(cls: type[_M], value: Mapping[str, Any]) -> _M:
    table, sharing, canary = value["table"], value["sharing"], value["canary"]
    return cls(
        list_id=members.octets(value["list"]),
        name=members.text(value["name"]),
        epoch=members.integer(value["epoch"]),
        previous=members.octets_or_none(value["previous"]),
        created=members.integer(value["created"]),
        suite=members.text(value["suite"]),
        key=members.octets(value["key"]),
        encoding=members.text(table["encoding"]),
        items=members.integer(table["items"]),
        seed=members.octets(table["seed"]),
        root=members.octets(value["file"]["root"]),
        types=tuple(members.each(value["types"], members.text)),
        sources=tuple(members.each(value["sources"], _source)),
        minimum_sources=members.integer(value["minimum_sources"]),
        sharing=Sharing(
            members.integer(sharing["threshold"]),
            members.integer(sharing["rows"]),
            members.word(CountBy, sharing["count_by"]),
        ),
        synthetic=Synthetic(
            members.word(SyntheticMode, value["synthetic"]["mode"]), members.integer(value["synthetic"]["per_million"])
        ),
        probes=Probes(members.integer(value["probes"]["per_item"]), members.truth(value["probes"]["separated"])),
        canary=None if canary is None else _canary(canary),
    )


def _source_to_json(source: Source) -> canonical.Json:
    value: dict[str, Any] = {"items": source.items, "name": source.name}
    if source.signed is not None:
        value["signed"] = {"digest": source.signed.digest.hex(), "key": source.signed.key.hex()}
    return value


def _source(value: Mapping[str, Any]) -> Source:
    signed = None
    if "signed" in value:
        signed = SignedList(members.octets(value["signed"]["key"]), members.octets(value["signed"]["digest"]))
    return Source(members.text(value["name"]), members.integer(value["items"]), signed)


def _canary(value: Mapping[str, Any]) -> Canary:
    hashes = members.each(value["hashes"], lambda text: ItemHash.parse(members.text(text)))
    return Canary(members.text(value["name"]), members.octets(value["sha256"]), tuple(hashes))
