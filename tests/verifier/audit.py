"""Section 15: proofs that a table holds exactly a list, and that names are absent, in plain integers."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .elements import Group
from .items import LABEL, Item
from .manifest import Manifest
from .notation import os2ip, u8, u32, u64
from .table import Geometry, Placement, geometry, lookup, merkle_root, place

#: Octets of the digests of known types (section 3).
SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64, "pdq": 32, "phash": 8, "neuralhash": 12}


class Refused(Exception):  # noqa: N818 - a result, by the name of section 15
    """A proof that a verifier refuses, with the reason's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def demand(holds: bool, reason: str) -> None:
    if not holds:
        raise Refused(reason)


def decode_item(y: bytes) -> Item:
    """An encoded item hash (section 3)."""
    length = y[0] if y else 0
    label, rest = y[1 : 1 + length], y[1 + length :]
    demand(bool(re.fullmatch(LABEL.pattern.encode(), label)) and len(rest) > 1, "MALFORMED_ITEM")
    demand(rest[0] == len(rest) - 1 <= 64, "MALFORMED_ITEM")
    demand(SIZES.get(label.decode(), rest[0]) == rest[0], "MALFORMED_ITEM")
    return Item(y, label.decode())


def check_items(encoded: Sequence[bytes]) -> list[Item]:
    items = [decode_item(y) for y in encoded]
    for earlier, later in pairwise(encoded):
        demand(earlier != later, "DUPLICATE_ITEM")
        demand(earlier < later, "UNSORTED_LIST")
    return items


def list_digest(encoded: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"tpsi-v1-audit-list" + u64(len(encoded)) + b"".join(encoded)).digest()


def table_transcript(group: Group, manifest: Manifest, encoded: Sequence[bytes], fill_key: bytes) -> bytes:
    """τ of a table proof."""
    data = suite_name(group) + manifest.digest + list_digest(encoded) + fill_key
    return hashlib.sha256(b"tpsi-v1-audit-table" + data).digest()


def absence_transcript(group: Group, manifest: Manifest, names: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """τ of an absence proof."""
    pairs = b"".join(name + value for name, value in zip(names, values, strict=True))
    digest = hashlib.sha256(b"tpsi-v1-audit-names" + u64(len(names)) + pairs).digest()
    return hashlib.sha256(b"tpsi-v1-audit-absence" + suite_name(group) + manifest.digest + digest).digest()


def suite_name(group: Group) -> bytes:
    return u8(len(group.name)) + group.name.encode("ascii")


def xof(label: str, data: bytes, size: int) -> bytes:
    return hashlib.shake_256(label.encode("ascii") + data).digest(size)


def weights(transcript: bytes, count: int) -> list[bytes]:
    """The weights of all pairs, 16 octets each."""
    stream = b"".join(
        xof("tpsi-v1-audit-weights", transcript + u32(block), 4096) for block in range((count + 255) // 256)
    )
    return [stream[16 * i : 16 * i + 16] for i in range(count)]


def sum_of(group: Group, factors: Sequence[int], elements: Sequence[bytes]) -> bytes:
    total = group.identity
    for factor, element in zip(factors, elements, strict=True):
        total = group.add(total, group.multiply(factor, element))
    return total


@dataclass(frozen=True)
class Statement:
    """Bases A, M and images B, Z under a transcript."""

    group: Group
    transcript: bytes
    bases: tuple[bytes, bytes]
    images: tuple[bytes, bytes]

    @property
    def octets(self) -> bytes:
        """A ‖ M ‖ B ‖ Z."""
        return b"".join(self.bases + self.images)

    def challenge(self, commitments: Sequence[bytes]) -> int:
        data = self.transcript + self.octets + b"".join(commitments)
        return self.group.random_scalar(xof("tpsi-v1-audit-challenge", data, self.group.random_octets))

    def nonce(self, alpha: int, random: bytes) -> int:
        data = self.group.encode_scalar(alpha) + random + self.transcript + self.octets
        return self.group.random_scalar(xof("tpsi-v1-audit-nonce", data, self.group.random_octets))

    def holds(self, challenge: int, response: int) -> bool:
        commitments = [
            sum_of(self.group, (response, challenge), pair) for pair in zip(self.bases, self.images, strict=True)
        ]
        return self.challenge(commitments) == challenge


@dataclass(frozen=True)
class Decoded:
    """A proof taken apart: `fill_key` of a table proof, `values` of an absence proof."""

    digest: bytes
    challenge: int
    response: int
    fill_key: bytes = b""
    values: tuple[bytes, ...] = ()


def decode(group: Group, kind: int, octets: bytes) -> Decoded:
    """Section 15.5; Refused("MALFORMED")."""
    demand(octets[:2] == u8(1) + u8(kind) and len(octets) >= 102, "MALFORMED")
    digest, rest = octets[2:34], octets[34:]
    if kind == 1:
        demand(len(rest) == 96, "MALFORMED")
        return Decoded(digest, *scalars(group, rest[32:]), fill_key=rest[:32])
    count, values = os2ip(rest[64:68]), rest[68:]
    size = group.element_size
    demand(1 <= count <= 2**20 and len(values) == count * size, "MALFORMED")
    parts = tuple(values[i : i + size] for i in range(0, len(values), size))
    return Decoded(digest, *scalars(group, rest[:64]), values=parts)


def scalars(group: Group, octets: bytes) -> tuple[int, int]:
    challenge, response = group.decode_scalar(octets[:32]), group.decode_scalar(octets[32:])
    demand(max(challenge, response) < group.order, "MALFORMED")
    return challenge, response


def check_subject(group: Group, manifest: Manifest, proof: Decoded) -> bytes:
    """Checks 1 and 2: the manifest's digest and L."""
    demand(proof.digest == manifest.digest, "OTHER_MANIFEST")
    key = bytes.fromhex(manifest["key"])
    demand(group.is_valid(key), "INVALID_KEY")
    return key


def cell_weights(table: Geometry, placement: Placement, of_items: Sequence[int]) -> list[int]:
    """W_c of every cell."""
    sums = [0] * table.cells
    for edge, cell in assigned(placement).items():
        for touched in placement.edges[edge] if table.encoding == "fuse" else [cell]:
            sums[touched] += of_items[edge]
    return sums


def assigned(placement: Placement) -> dict[int, int]:
    """The cell of every item."""
    cells = {edge: cell for removed in placement.rounds for edge, cell in removed}
    return cells | {edge: cell for cycle in placement.cycles for cell, edge in cycle}


def verify_table(group: Group, manifest: Manifest, cells: list[bytes], encoded: list[bytes], octets: bytes) -> None:
    """Section 15.3, all checks in their order."""
    proof = decode(group, 1, octets)
    key = check_subject(group, manifest, proof)
    items = check_items(encoded)
    demand(len(items) == manifest["table"]["items"], "ITEM_COUNT")
    demand(not items or sorted({item.label for item in items}) == manifest["types"], "HASH_TYPES")
    texts = {item.text for item in items}
    demand(manifest["canary"] is None or texts.issuperset(manifest["canary"]["hashes"]), "CANARY_MISSING")
    table, content = geometry(manifest["table"]["encoding"], len(items)), b"".join(cells)
    demand(len(cells) == table.cells and len(content) == manifest["file"]["bytes"], "TABLE_SIZE")
    demand(merkle_root(content).hex() == manifest["file"]["root"], "TABLE_DIGEST")
    placement = place(table, bytes.fromhex(manifest["table"]["seed"]), items)
    if placement is None:
        raise Refused("SEED")
    held = set(assigned(placement).values())
    for cell, octets_of_cell in enumerate(cells):
        demand(cell in held or octets_of_cell == group.fill(proof.fill_key, cell), "FILL_CELL")
        demand(group.is_valid(octets_of_cell), "INVALID_CELL")
    transcript = table_transcript(group, manifest, encoded, proof.fill_key)
    of_items = [os2ip(weight) for weight in weights(transcript, len(items))]
    weighted = sum_of(group, of_items, [group.item(y) for y in encoded])
    images = sum_of(group, [w % group.order for w in cell_weights(table, placement, of_items)], cells)
    statement = Statement(group, transcript, (group.generator, weighted), (key, images))
    demand(statement.holds(proof.challenge, proof.response), "WRONG_PROOF")


def verify_absence(group: Group, manifest: Manifest, cells: list[bytes], names: list[bytes], octets: bytes) -> None:
    """Section 15.4."""
    proof = decode(group, 2, octets)
    key = check_subject(group, manifest, proof)
    check_items(names)
    demand(len(names) == len(proof.values), "ITEM_COUNT")
    demand(all(group.is_valid(value) for value in proof.values), "INVALID_VALUE")
    transcript = absence_transcript(group, manifest, names, proof.values)
    of_names = [os2ip(weight) for weight in weights(transcript, len(names))]
    weighted = sum_of(group, of_names, [group.item(y) for y in names])
    images = sum_of(group, of_names, proof.values)
    statement = Statement(group, transcript, (group.generator, weighted), (key, images))
    demand(statement.holds(proof.challenge, proof.response), "WRONG_PROOF")
    table = geometry(manifest["table"]["encoding"], manifest["table"]["items"])
    seed = bytes.fromhex(manifest["table"]["seed"])
    for name, value in zip(names, proof.values, strict=True):
        demand(value not in lookup(group, table, seed, cells, name), "LISTED")
