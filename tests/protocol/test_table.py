"""Tables hold every item of a list or are not made, and show nothing about which (specification, section 4)."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, md5
from tpsi import BuildError, CallerError, ItemHash, build_table, group
from tpsi.secret import Secret
from tpsi.table import (
    BlindedTable,
    CuckooGeometry,
    FuseGeometry,
    blind_items,
    canonical_items,
    fill_elements,
    find_layout,
    lay_out,
)
from tpsi.table.building import MAX_SEEDS

ENCODINGS = ("fuse", "cuckoo")
both = pytest.mark.parametrize("encoding", ENCODINGS)


def found(
    table: BlindedTable, items: list[bytes], wanted: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> list[bool]:
    """Whether α·H(y) is a good candidate of each item."""
    candidates = table.lookup(items)
    hits = (candidates.elements == wanted[:, None, :]).all(axis=2) & candidates.good
    return [bool(row.any()) for row in hits]


@both
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 10, 33, 100, 257])
@pytest.mark.parametrize("suite", [RISTRETTO])
def test_every_item_is_found_and_no_other(suite: str, encoding: str, size: int) -> None:
    chosen = group(suite)
    built = build_table(chosen, encoding, [md5(i) for i in range(size)], rng=Drbg(f"{encoding}{size}"))
    members = [md5(i).encode() for i in range(size)]
    others = [md5(-1 - i).encode() for i in range(20)]
    assert found(built.table, members, blind_items(chosen, members, built.secrets)) == [True] * size
    assert found(built.table, others, blind_items(chosen, others, built.secrets)) == [False] * 20


@both
def test_the_p256_suite_builds_the_same_way(encoding: str) -> None:
    chosen = group(P256)
    members = [md5(i).encode() for i in range(9)]
    built = build_table(chosen, encoding, [md5(i) for i in range(9)], rng=Drbg("p256"))
    assert found(built.table, members, blind_items(chosen, members, built.secrets)) == [True] * 9


@both
def test_a_hash_listed_many_times_counts_once(encoding: str) -> None:
    items = [md5(i % 5) for i in range(50)]
    built = build_table(group(RISTRETTO), encoding, items, rng=Drbg("again"))
    assert built.table.geometry.items == 5
    assert len(set(built.layout.assigned.tolist())) == 5


@both
def test_one_digest_under_two_types_is_two_items(encoding: str) -> None:
    digest = bytes(range(16))
    items = [ItemHash("md5", digest), ItemHash("other", digest)]
    built = build_table(group(RISTRETTO), encoding, items, rng=Drbg("types"))
    encoded = [item.encode() for item in items]
    blinded = blind_items(group(RISTRETTO), encoded, built.secrets)
    assert found(built.table, encoded, blinded) == [True, True]
    assert blinded[0].tobytes() != blinded[1].tobytes()


@both
@given(data=st.data(), size=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_adversarially_similar_hashes_are_all_placed(encoding: str, data: st.DataObject, size: int) -> None:
    """Digests that differ in single bits or in a counter, as chosen by whoever fills the list."""
    stem = data.draw(st.binary(min_size=12, max_size=12))
    items = canonical_items(ItemHash("md5", stem + i.to_bytes(4, "big")) for i in range(size))
    layout = find_layout(encoding, items, Drbg(stem))
    cells = layout.assigned.tolist()
    assert len(set(cells)) == size  # every item has a cell of its own…
    assert all(
        cell in places for cell, places in zip(cells, layout.positions.tolist(), strict=True)
    )  # …of its positions
    assert len(layout.fill) == layout.geometry.cells - size


@both
@given(names=st.lists(st.integers(0, 1000), max_size=60), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_the_layout_does_not_depend_on_the_order_of_the_list(encoding: str, names: list[int], seed: bytes) -> None:
    forwards = lay_out(encoding, canonical_items(md5(n) for n in names), seed)
    backwards = lay_out(encoding, canonical_items(md5(n) for n in reversed(names)), seed)
    assert (forwards is None) == (backwards is None)
    if forwards is not None and backwards is not None:
        assert forwards.assigned.tolist() == backwards.assigned.tolist()


@given(size=st.integers(0, 3000), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=60, deadline=None)
def test_positions_are_distinct_cells_of_the_table(size: int, seed: bytes) -> None:
    items = [md5(i).encode() for i in range(50)]
    for shape in (FuseGeometry.of(size), CuckooGeometry.of(size)):
        positions = shape.positions(items, seed)
        assert positions.shape == (50, shape.arity)
        assert positions.min() >= 0
        assert positions.max() < shape.cells
        assert all(len(set(row)) == shape.arity for row in positions.tolist())


def test_positions_follow_the_written_formula() -> None:
    """The same numbers with Python integers instead of arrays."""
    seed, y = bytes(range(32)), md5("x").encode()
    shape = FuseGeometry.of(10_000)
    digest = hashlib.blake2b(y, digest_size=16, key=seed, person=b"tpsi-v1-pos-fuse").digest()
    a, b = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    j, length = a * shape.segments >> 64, shape.segment_length
    wanted = [(j + i) * length + ((b >> 21 * i) % length) for i in range(3)]
    assert shape.positions([y], seed)[0].tolist() == wanted
    cuckoo = CuckooGeometry.of(10_000)
    digest = hashlib.blake2b(y, digest_size=16, key=seed, person=b"tpsi-v1-pos-cuck").digest()
    a, b = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    assert cuckoo.positions([y], seed)[0].tolist() == [
        a * cuckoo.half >> 64,
        cuckoo.half + (b * cuckoo.half >> 64),
    ]


@pytest.mark.parametrize(
    ("items", "segment_length", "segments"),
    [(0, 4, 1), (1, 4, 1), (2, 4, 1), (10, 16, 1), (100, 64, 1), (10_000, 512, 23), (1_000_000, 8192, 136)],
)
def test_the_fuse_geometry_is_the_published_one(items: int, segment_length: int, segments: int) -> None:
    assert FuseGeometry.of(items) == FuseGeometry(items, segment_length, segments)


def test_a_million_hashes_take_less_than_36_and_a_half_octets_each() -> None:
    cells = FuseGeometry.of(1_000_000).cells
    assert cells * group(RISTRETTO).element_size / 1_000_000 < 36.5


def test_a_seed_that_places_not_all_items_is_never_used() -> None:
    """A constant generator gives one bad seed again and again: the build fails, it does not drop an item."""
    items = canonical_items(md5(i) for i in range(1000))
    bad = next(seed for i in range(200) if lay_out("cuckoo", items, seed := Drbg(str(i))(32)) is None)
    calls = Counter[int]()

    def stuck(size: int) -> bytes:
        calls[size] += 1
        return bad

    with pytest.raises(BuildError, match="1000 items"):
        find_layout("cuckoo", items, stuck)
    assert calls[32] == MAX_SEEDS


def test_every_table_has_fresh_secrets() -> None:
    built = [build_table(group(RISTRETTO), "fuse", [md5(1)]) for _ in range(2)]
    assert built[0].secrets.alpha != built[1].secrets.alpha
    assert built[0].secrets.fill_key != built[1].secrets.fill_key
    assert built[0].table.seed != built[1].table.seed


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(CallerError, match="neither fuse nor cuckoo"):
        build_table(group(RISTRETTO), "bloom", [md5(1)])


def test_cells_of_another_shape_are_refused() -> None:
    built = build_table(group(RISTRETTO), "fuse", [md5(1)])
    with pytest.raises(CallerError, match="rows of 32 octets"):
        BlindedTable(built.table.group, built.table.geometry, built.table.seed, built.table.cells[:-1])


def _bits(
    elements: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(np.unpackbits(elements, axis=1).mean(axis=0), np.float64)


@both
def test_fill_cells_and_others_cannot_be_told_apart_by_their_encodings(encoding: str) -> None:
    """Bit frequencies, octet frequencies, pairwise repeats, validity: within five standard deviations of each other.

    DDH is what hides them; this catches a fill that is not drawn from the group as hashes are.
    """
    chosen = group(RISTRETTO)
    built = build_table(chosen, encoding, [md5(i) for i in range(1500)], rng=Drbg("fill"))
    fill, cells = built.layout.fill, built.table.cells
    filled, empty = cells[built.layout.assigned], cells[fill]
    assert chosen.valid(cells).all()
    assert len({row.tobytes() for row in cells}) == len(cells)
    spread = 5 * np.sqrt(0.25 / len(filled) + 0.25 / len(empty))
    assert np.abs(_bits(filled) - _bits(empty)).max() < spread
    octets = [np.bincount(part.ravel(), minlength=256) / part.size for part in (filled, empty)]
    expected = 5 * np.sqrt((1 / filled.size + 1 / empty.size) / 256)
    assert np.abs(octets[0] - octets[1]).max() < expected
    # Distances from a cell to its neighbours show no order either.
    gaps = [np.diff(part[:, 0].astype(int)).std() for part in (filled, empty)]
    assert abs(gaps[0] - gaps[1]) < 10


def test_fill_cells_are_the_ones_that_the_fill_key_gives() -> None:
    built = build_table(group(RISTRETTO), "fuse", [md5(i) for i in range(40)], rng=Drbg("key"))
    wanted = fill_elements(group(RISTRETTO), built.secrets.fill_key, built.layout.fill.tolist())
    assert (built.table.cells[built.layout.fill] == wanted).all()
    other = fill_elements(group(RISTRETTO), Secret(bytes(32)), built.layout.fill.tolist())
    assert not (built.table.cells[built.layout.fill] == other).all(axis=1).any()


@both
def test_a_lookup_reads_only_the_item_s_own_cells(encoding: str) -> None:
    """So that a table can stay in its file: other cells may hold anything."""
    chosen = group(RISTRETTO)
    built = build_table(chosen, encoding, [md5(i) for i in range(300)], rng=Drbg("own"))
    item = md5(7).encode()
    own = built.table.geometry.positions([item], built.table.seed)[0]
    cells = np.full_like(built.table.cells, 0xFF)
    cells[own] = built.table.cells[own]
    table = BlindedTable(chosen, built.table.geometry, built.table.seed, cells)
    assert found(table, [item], blind_items(chosen, [item], built.secrets)) == [True]
