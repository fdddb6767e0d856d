"""Section 4: geometry, positions, canonical peeling, the two encodings and the digest tree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache
from hashlib import sha256

from .elements import Group
from .items import Item
from .notation import b

CHUNK = 65536

Rounds = list[list[tuple[int, int]]]
"""For every round, the (edge, assigned cell) pairs removed in it, by edge."""
Cycles = list[list[tuple[int, int]]]
"""For every cycle, its (cell, edge) pairs from the lowest cell on; the cycles by their lowest cell."""


@dataclass(frozen=True)
class Geometry:
    """The sizes of a table; the last two are 0 for cuckoo."""

    encoding: str
    items: int
    cells: int
    segment_length: int = 0
    segments: int = 0

    @property
    def candidates(self) -> int:
        return 1 if self.encoding == "fuse" else 2

    def members(self, seed: bytes) -> dict[str, object]:
        """The member `table` of a manifest."""
        common = {"cells": self.cells, "encoding": self.encoding, "items": self.items, "seed": seed}
        fuse = {"segment_length": self.segment_length, "segments": self.segments}
        return common | (fuse if self.encoding == "fuse" else {})


@cache
def geometry(encoding: str, n: int) -> Geometry:
    if encoding == "cuckoo":
        return Geometry("cuckoo", n, 2 * max(2, -(-11 * n // 10)))
    with localcontext() as context:
        context.prec = 60
        length, capacity = 4, Decimal(0)
        if n > 0:
            exponent = (Decimal(n).ln() / Decimal("3.33").ln() + Decimal("2.25")).to_integral(ROUND_FLOOR)
            length = 2 ** min(18, int(exponent))
        if n > 1:
            factor = Decimal("0.875") + Decimal("0.25") * Decimal(10**6).ln() / Decimal(n).ln()
            capacity = (n * max(Decimal("1.125"), factor)).to_integral(ROUND_HALF_EVEN)
        segments = max(1, int((capacity / length).to_integral(ROUND_CEILING)) - 2)
    return Geometry("fuse", n, (segments + 2) * length, length, segments)


def positions(table: Geometry, seed: bytes, y: bytes) -> list[int]:
    person = "tpsi-v1-pos-fuse" if table.encoding == "fuse" else "tpsi-v1-pos-cuck"
    d = b(16, seed, person, y)
    first, second = int.from_bytes(d[:8], "little"), int.from_bytes(d[8:], "little")
    if table.encoding == "cuckoo":
        half = table.cells // 2
        return [first * half // 2**64, half + second * half // 2**64]
    j, length = first * table.segments // 2**64, table.segment_length
    return [(j + i) * length + (second >> 21 * i) % length for i in range(3)]


def peel(edges: Sequence[Sequence[int]]) -> tuple[Rounds, list[int]]:
    """Canonical peeling: the rounds, and the edges that remain."""
    rounds: Rounds = []
    remaining = list(range(len(edges)))
    while True:
        degree: defaultdict[int, int] = defaultdict(int)
        for edge in remaining:
            for cell in edges[edge]:
                degree[cell] += 1
        free = {edge: [cell for cell in edges[edge] if degree[cell] == 1] for edge in remaining}
        removed = [(edge, min(cells)) for edge, cells in free.items() if cells]
        if not removed:
            return rounds, remaining
        rounds.append(removed)
        remaining = [edge for edge, cells in free.items() if not cells]


def cycles(edges: Sequence[Sequence[int]], remaining: list[int], items: list[Item]) -> Cycles | None:
    """How the edges that peeling leaves are assigned in a cuckoo table; None if not disjoint cycles."""
    touching: defaultdict[int, list[int]] = defaultdict(list)
    for edge in remaining:
        for cell in edges[edge]:
            touching[cell].append(edge)
    if any(len(both) != 2 for both in touching.values()):
        return None
    result: Cycles = []
    assigned: set[int] = set()
    for lowest in sorted(touching):
        cell, cycle = lowest, []
        edge = min(touching[cell], key=lambda e: items[e].y)
        while cell not in assigned:
            assigned.add(cell)
            cycle.append((cell, edge))
            cell = next(other for other in edges[edge] if other != cell)
            edge = next(other for other in touching[cell] if other != edge)
        result += [cycle] if cycle else []
    return result


@dataclass(frozen=True)
class Placement:
    """Where every item of a list stands under one seed."""

    edges: list[list[int]]
    rounds: Rounds
    cycles: Cycles


def place(table: Geometry, seed: bytes, items: list[Item]) -> Placement | None:
    """The placement of the items, None if the seed is one that does not serve."""
    edges = [positions(table, seed, item.y) for item in items]
    rounds, remaining = peel(edges)
    if table.encoding == "fuse":
        return Placement(edges, rounds, []) if not remaining else None
    closed = cycles(edges, remaining, items)
    return None if closed is None else Placement(edges, rounds, closed)


def build(group: Group, table: Geometry, place: Placement, values: list[bytes], fill_key: bytes) -> list[bytes]:
    """The cells T, from V_x of every item."""
    owners = {cell: edge for removed in place.rounds for edge, cell in removed}
    owners |= {cell: edge for cycle in place.cycles for cell, edge in cycle}
    content = {c: group.fill(fill_key, c) for c in range(table.cells) if c not in owners}
    if table.encoding == "cuckoo":
        content |= {cell: values[edge] for cell, edge in owners.items()}
        return [content[c] for c in range(table.cells)]
    for removed in reversed(place.rounds):
        for edge, cell in removed:
            first, second = (content[c] for c in place.edges[edge] if c != cell)
            content[cell] = group.subtract(group.subtract(values[edge], first), second)
    return [content[c] for c in range(table.cells)]


def lookup(group: Group, table: Geometry, seed: bytes, cells: list[bytes], y: bytes) -> list[bytes | None]:
    """The candidates of y, None standing for a bad one."""
    read = [cells[c] for c in positions(table, seed, y)]
    if table.encoding == "cuckoo":
        first, second = (cell if group.is_valid(cell) else None for cell in read)
        return [first, second if second != first else None]
    if not all(group.is_valid(cell) for cell in read):
        return [None]
    total = group.add(group.add(read[0], read[1]), read[2])
    return [total if total != group.identity else None]


def merkle_root(content: bytes) -> bytes:
    """The digest tree of a table file, by the recursion of RFC 9162, section 2.1.1."""
    return _subtree([content[i : i + CHUNK] for i in range(0, len(content), CHUNK)])


def _subtree(chunks: list[bytes]) -> bytes:
    if len(chunks) == 1:
        return sha256(b"\x00" + chunks[0]).digest()
    left = 2 ** ((len(chunks) - 1).bit_length() - 1)
    return sha256(b"\x01" + _subtree(chunks[:left]) + _subtree(chunks[left:])).digest()
