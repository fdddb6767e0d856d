"""Sections 4 and 5 of a transcript: one epoch's secret, table, file and manifest."""

from collections.abc import Iterator
from dataclasses import dataclass

from .canonical import RefusedError
from .elements import Group
from .items import Item
from .manifest import Manifest, decode_envelope, decode_manifest, sign
from .table import CHUNK, Geometry, Placement, build, geometry, merkle_root, place
from .transcript import Node, WrongValueError


@dataclass(frozen=True)
class Epoch:
    """What the later sections need; `cells` as they are served, so with a hostile server's changes."""

    group: Group
    alpha: int
    key: bytes
    table: Geometry
    seed: bytes
    cells: list[bytes]
    manifest: Manifest


def read_scalar(node: Node, group: Group) -> int:
    """A recorded scalar: canonical, not 0."""
    octets = node.octets()
    scalar = group.decode_scalar(octets)
    if len(octets) != 32 or not 0 < scalar < group.order:
        raise WrongValueError(node.path, "is not a scalar other than 0")
    return scalar


def draw_scalar(node: Node, group: Group) -> int:
    """A random scalar `{"octets", "scalar"}`, made from its uniform octets by section 2.1."""
    octets = node["octets"].octets()
    scalar = group.random_scalar(octets)
    if len(octets) != group.random_octets or scalar == 0:
        raise WrongValueError(
            node["octets"].path, f"must be {group.random_octets} octets that give a scalar other than 0"
        )
    node["scalar"].expect(group.encode_scalar(scalar))
    return scalar


def check_table(node: Node, group: Group, encoding: str, items: list[Item], values: list[bytes]) -> Geometry:
    """Geometry, seed, positions, peeling and every cell; returns the geometry."""
    table, table_node = geometry(encoding, len(items)), node["table"]
    seed = table_node["geometry"]["seed"].octets()
    table_node["geometry"].expect(table.members(seed))
    for refused in table_node["refused_seeds"]:
        if place(table, refused.octets(), items) is not None:
            raise WrongValueError(refused.path, "is a seed that would have served")
    placement = place(table, seed, items)
    if placement is None:
        raise WrongValueError(table_node["geometry"]["seed"].path, "is not a seed that places every item")
    check_placement(table_node, placement)
    table_node["cells"].expect(build(group, table, placement, values, node["fill_key"].octets()))
    return table


def check_placement(node: Node, placement: Placement) -> None:
    node["positions"].expect(placement.edges)
    node["rounds"].expect(placement.rounds)
    node["cycles"].expect(placement.cycles)


def served_cells(node: Node) -> list[bytes]:
    """The cells with a hostile server's replacements; one that replaces nothing new is wrong."""
    cells = node["table"]["cells"].list_of_octets()
    for change in node["hostile"]:
        cell, octets = change["cell"].integer(), change["octets"].octets()
        if not 0 <= cell < len(cells) or len(octets) != len(cells[cell]) or octets == cells[cell]:
            raise WrongValueError(change.path, "replaces no cell")
        cells[cell] = octets
    return cells


def check_manifest(node: Node, group: Group, table: Geometry, types: list[str], key: bytes) -> Manifest:
    """The manifest's text against what the epoch is; digest, id, signatures and envelope."""
    try:
        manifest = decode_manifest(node["manifest"].text())
    except RefusedError as refused:
        raise WrongValueError(node["manifest"].path, str(refused)) from None
    expected = {
        "suite": group.name,
        "key": key.hex(),
        "table": table.members(node["table"]["geometry"]["seed"].octets()),
        "types": types,
        "file": node["file"].value,
    }
    expected["table"] = {k: v.hex() if isinstance(v, bytes) else v for k, v in expected["table"].items()}
    for name, value in expected.items():
        if manifest[name] != value:
            raise WrongValueError(node["manifest"].path, f"its member {name} is not that of the epoch")
    node["digest"].expect(manifest.digest)
    node["id"].expect(manifest.id)
    check_signatures(node, manifest)
    return manifest


def check_signatures(node: Node, manifest: Manifest) -> None:
    made = []
    for entry in node["signatures"]:
        signature = sign(entry["seed"].octets(), entry["role"].text(), manifest.text)
        entry["key"].expect(signature.key)
        entry["signature"].expect(signature.signature)
        made.append(signature)
    try:
        enveloped, signatures = decode_envelope(node["envelope"].text())
    except RefusedError as refused:
        raise WrongValueError(node["envelope"].path, str(refused)) from None
    if enveloped != manifest or signatures != made:
        raise WrongValueError(node["envelope"].path, "holds another manifest or other signatures")


def check_epoch(node: Node, group: Group, encoding: str, items: list[Item]) -> Iterator[str | Epoch]:
    """Yields a line for every step, and at last the epoch."""
    alpha = draw_scalar(node["alpha"], group)
    key = group.multiply(alpha, group.generator)
    node["key"].expect(key)
    values = [group.multiply(alpha, group.item(item.y)) for item in items]
    node["blinded"].expect(values)
    yield f"blinded items: {len(values)} values"
    table = check_table(node, group, encoding, items, values)
    yield f"table: {table.items} items, {table.cells} cells, {len(node['table']['rounds'])} rounds"
    cells = served_cells(node)
    content = b"".join(cells)
    node["file"].expect({"bytes": len(content), "chunk": CHUNK, "root": merkle_root(content)})
    types = sorted({item.label for item in items})
    manifest = check_manifest(node, group, table, types, key)
    yield f"manifest: epoch {manifest['epoch']}, {len(node['signatures'])} signatures"
    yield Epoch(group, alpha, key, table, node["table"]["geometry"]["seed"].octets(), cells, manifest)
