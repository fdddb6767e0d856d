"""The files of section 15: tables with the steps of their proofs, and proofs that are refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .audit import (
    Refused,
    Statement,
    absence_transcript,
    assigned,
    cell_weights,
    check_items,
    list_digest,
    sum_of,
    table_transcript,
    verify_absence,
    verify_table,
    weights,
)
from .canonical import RefusedError
from .elements import GROUPS, Group
from .epoch import draw_scalar
from .manifest import Manifest, decode_manifest
from .notation import os2ip, u8
from .table import build, geometry, place
from .transcript import Node, WrongValueError


@dataclass(frozen=True)
class Audited:
    """One table of the file."""

    manifest: Manifest
    cells: list[bytes]
    items: list[bytes]
    names: list[bytes]


def verify_audits(root: Node) -> Iterator[str]:
    """A line for every table and for the cases."""
    root["source"].text(), root["seed"].text()
    group, encoding = GROUPS[root["suite"].one_of(*GROUPS)], root["encoding"].one_of("fuse", "cuckoo")
    tables = []
    for node in root["tables"]:
        tables.append(check_audited(node, group, encoding))
        yield f"audit: {len(tables[-1].items)} items, {len(tables[-1].names)} absent"
    for node in root["cases"]:
        check_case(node, group, tables[0])
    yield f"audit cases: {len(root['cases'])}"


def read_manifest(node: Node) -> Manifest:
    try:
        return decode_manifest(node.text())
    except RefusedError as refused:
        raise WrongValueError(node.path, str(refused)) from None


def check_audited(node: Node, group: Group, encoding: str) -> Audited:
    """Table, manifest and both proofs from the secrets."""
    encoded, alpha = node["list"].list_of_octets(), draw_scalar(node["alpha"], group)
    try:
        items = check_items(encoded)
    except Refused as refused:
        raise WrongValueError(node["list"].path, refused.reason) from None
    manifest, fill_key = read_manifest(node["manifest"]), node["fill_key"].octets()
    node["digest"].expect(manifest.digest)
    key, table = group.multiply(alpha, group.generator), geometry(encoding, len(items))
    seed = bytes.fromhex(manifest["table"]["seed"])
    described = manifest["suite"], manifest["key"], manifest["table"]["encoding"], manifest["table"]["items"]
    if described != (group.name, key.hex(), encoding, len(items)):
        raise WrongValueError(node["manifest"].path, "is not that of this table")
    placement = place(table, seed, items)
    if placement is None:
        raise WrongValueError(node["manifest"].path, "has a seed that does not place the list")
    node["assigned"].expect([cell for _, cell in sorted(assigned(placement).items())])
    values = [group.multiply(alpha, group.item(y)) for y in encoded]
    cells = build(group, table, placement, values, fill_key)
    node["cells"].expect(cells)
    proof = node["table_proof"]
    proof["list_digest"].expect(list_digest(encoded))
    transcript = table_transcript(group, manifest, encoded, fill_key)
    sums = cell_weights(table, placement, [os2ip(weight) for weight in weights(transcript, len(items))])
    proof["cell_weights"].expect([total.to_bytes(20, "big") for total in sums])
    steps = check_steps(proof, group, transcript, alpha, encoded)
    proof["octets"].expect(u8(1) + u8(1) + manifest.digest + fill_key + steps)
    names = check_absent(node["absence_proof"], group, manifest, alpha)
    verify_table(group, manifest, cells, encoded, proof["octets"].octets())
    verify_absence(group, manifest, cells, names, node["absence_proof"]["octets"].octets())
    return Audited(manifest, cells, encoded, names)


def check_absent(node: Node, group: Group, manifest: Manifest, alpha: int) -> list[bytes]:
    names = node["names"].list_of_octets()
    values = [group.multiply(alpha, group.item(name)) for name in names]
    node["values"].expect(values)
    steps = check_steps(node, group, absence_transcript(group, manifest, names, values), alpha, names)
    count = len(names).to_bytes(4, "big")
    node["octets"].expect(u8(1) + u8(2) + manifest.digest + steps + count + b"".join(values))
    return names


def check_steps(node: Node, group: Group, transcript: bytes, alpha: int, items: Sequence[bytes]) -> bytes:
    """Sections 15.2 and 15.1; gives c ‖ s."""
    node["transcript"].expect(transcript)
    elements, of_items = [group.item(y) for y in items], weights(transcript, len(items))
    node["elements"].expect(elements)
    node["weights"].expect(of_items)
    weighted = sum_of(group, [os2ip(weight) for weight in of_items], elements)
    images = group.multiply(alpha, weighted)
    node["weighted"].expect([weighted, images])
    key = group.multiply(alpha, group.generator)
    statement = Statement(group, transcript, (group.generator, weighted), (key, images))
    nonce = statement.nonce(alpha, node["random"].octets())
    node["nonce"].expect(group.encode_scalar(nonce))
    commitments = [group.multiply(nonce, base) for base in statement.bases]
    node["commitments"].expect(commitments)
    challenge = statement.challenge(commitments)
    response = (nonce - challenge * alpha) % group.order
    node["challenge"].expect(group.encode_scalar(challenge))
    node["response"].expect(group.encode_scalar(response))
    return group.encode_scalar(challenge) + group.encode_scalar(response)


def check_case(node: Node, group: Group, usual: Audited) -> None:
    """A proof as somebody shows it, and what is said of it."""
    node["name"].text()
    kind = node["proof"].one_of("table", "absence")
    manifest = usual.manifest if node["manifest"].is_null() else read_manifest(node["manifest"])
    cells = list(usual.cells)
    for change in node["cells"]:
        cell, octets = change["cell"].integer(), change["octets"].octets()
        if not 0 <= cell < len(cells) or len(octets) != len(cells[cell]) or octets == cells[cell]:
            raise WrongValueError(change.path, "replaces no cell")
        cells[cell] = octets
    items = usual.items if kind == "table" else usual.names
    if not node["items"].is_null():
        items = node["items"].list_of_octets()
    check = verify_table if kind == "table" else verify_absence
    try:
        check(group, manifest, cells, items, node["octets"].octets())
        result = "ACCEPTED"
    except Refused as refused:
        result = refused.reason
    node["result"].expect(result)
