"""Attacks on the audit by a server, each caught with its reason (specification, section 15.3)."""

from dataclasses import replace

import numpy as np
import pytest

from tests.audit.making import NAMES, Served, altered, fill_cells, hidden, listed, refused, untouched
from tests.support.world import P256, RISTRETTO, World, file_root, md5
from tpsi import Canary, Secret, TableSecrets
from tpsi.audit import Reason, TableProof
from tpsi.audit.dleq import Proof
from tpsi.groups import Rows
from tpsi.table import canonical_items, fill_elements, hash_items, lay_out
from tpsi.table.building import _build

LIST = listed(NAMES)
CASES = [(RISTRETTO, "fuse"), (RISTRETTO, "cuckoo"), (P256, "fuse"), (P256, "cuckoo")]


@pytest.fixture(scope="module", name="world", params=CASES, ids=lambda case: f"{case[0][5:9]}-{case[1]}")
def _world(request: pytest.FixtureRequest) -> World:
    suite, encoding = request.param
    return World(NAMES, suite, encoding)


def times(world: World, number: int, elements: Rows) -> Rows:
    """A small multiple."""
    return world.manifest.group.multiply(world.manifest.group.encode_scalars([number]), elements)


def test_an_honest_table(world: World) -> None:
    assert Served.honest(world).audit(LIST).items == len(LIST)


def test_an_extra_entry_in_a_table_that_is_built_with_it(world: World) -> None:
    served = hidden(world, [*NAMES, "extra"])
    assert all(served.finds(name) for name in (*NAMES, "extra"))
    with refused(Reason.FILL_CELL):
        served.audit(LIST)


def test_an_extra_entry_hidden_in_a_fill_cell(world: World) -> None:
    served, name = in_an_untouched_cell(world)
    assert all(served.finds(listed_name) for listed_name in (*NAMES, name))
    with refused(Reason.FILL_CELL):
        served.audit(LIST)


def in_an_untouched_cell(world: World) -> tuple[Served, str]:
    """Nothing that is listed reads the cell: the lookups of all listed items are as they were."""
    group, honest, (cell, name) = world.manifest.group, Served.honest(world), untouched(world)
    value = group.multiply(honest.secrets.scalar(group), hash_items(group, [md5(name).encode()]))
    if world.encoding == "fuse":
        for other in world.built.table.geometry.positions([md5(name).encode()], world.manifest.seed)[0].tolist():
            value = value if other == cell else group.subtract(value, honest.cells[other : other + 1])
    cells = honest.cells.copy()
    cells[cell] = value[0]
    return honest.with_cells(cells), name


def test_fill_cells_named_by_the_server_so_that_the_system_loses_rank(world: World) -> None:
    """A verifier that counts the cells it is told, each of which is fill, is deceived by one that is named twice."""
    served, name = in_an_untouched_cell(world)
    cell, fill = untouched(world)[0], fill_cells(world)
    named = [other for other in fill if other != cell] + [next(other for other in fill if other != cell)]
    expected = fill_elements(world.manifest.group, served.secrets.fill_key, named)
    assert len(named) == len(served.cells) - len(LIST)
    assert np.array_equal(served.cells[named], expected)
    assert served.finds(name)
    with refused(Reason.FILL_CELL):
        served.audit(LIST)


def test_a_peeling_of_the_servers_own_choice() -> None:
    """Another assignment holds the list as well, but then the server would be the one to say which cells are fill."""
    world = World(NAMES)
    layout = world.built.layout
    last = layout.peeling.rounds[0]
    alone = [
        (int(item), int(cell))
        for item in last
        for cell in layout.positions[item]
        if (layout.positions == cell).sum() == 1 and cell != layout.assigned[item]
    ]
    item, cell = alone[0]
    assigned = layout.assigned.copy()
    assigned[item] = cell
    other = replace(layout, assigned=assigned)
    table = _build(world.manifest.group, other, world.built.secrets, lambda *_: None).table
    served = Served.honest(world).with_cells(table.cells)
    assert all(served.finds(name) for name in NAMES)
    with refused(Reason.FILL_CELL):
        served.audit(LIST)


def test_a_missing_entry(world: World) -> None:
    def without_the_first(values: Rows) -> Rows:
        values[0] = world.manifest.group.multiply_base(world.manifest.group.random_scalars(1, world.rng))[0]
        return values

    served = altered(world, without_the_first)
    assert not served.finds(next(name for name in NAMES if md5(name).encode() == LIST[0]))
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST)


def test_a_missing_entry_that_the_manifest_does_not_count(world: World) -> None:
    smaller = World(range(len(NAMES) - 1), world.suite, world.encoding)
    served = Served.honest(smaller)
    with refused(Reason.ITEM_COUNT):
        served.audit(LIST, served.prove(listed(range(len(NAMES) - 1))))


def test_a_replaced_entry(world: World) -> None:
    def with_another(values: Rows) -> Rows:
        group, secrets = world.manifest.group, world.built.secrets
        values[3] = group.multiply(secrets.scalar(group), hash_items(group, [md5("replaced").encode()]))[0]
        return values

    served = altered(world, with_another)
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST)


@pytest.mark.parametrize("multiple", [2, 3, 8])
def test_a_value_off_by_a_small_multiple(world: World, multiple: int) -> None:
    def off(values: Rows) -> Rows:
        values[5] = times(world, multiple, values[5:6])[0]
        return values

    served = altered(world, off)
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST)


def test_a_cell_off_by_a_small_multiple(world: World) -> None:
    honest, cell = Served.honest(world), int(world.built.layout.assigned[0])
    cells = honest.cells.copy()
    cells[cell] = times(world, 2, cells[cell : cell + 1])[0]
    with refused(Reason.WRONG_PROOF):
        honest.with_cells(cells).audit(LIST)


def test_errors_that_cancel_in_a_plain_sum(world: World) -> None:
    def opposite(values: Rows) -> Rows:
        group = world.manifest.group
        values[1], values[2] = group.add(values[1:2], values[7:8])[0], group.subtract(values[2:3], values[7:8])[0]
        return values

    served = altered(world, opposite)
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST)


def test_another_alpha_for_one_cell(world: World) -> None:
    def under_another(values: Rows) -> Rows:
        group = world.manifest.group
        values[4] = group.multiply(group.random_scalars(1, world.rng), hash_items(group, LIST[4:5]))[0]
        return values

    served = altered(world, under_another)
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST)


def test_another_alpha_for_all_cells(world: World) -> None:
    group = world.manifest.group
    other = TableSecrets(Secret(group.random_scalars(1, world.rng).tobytes()), world.built.secrets.fill_key)
    table = _build(group, world.built.layout, other, lambda *_: None).table
    with refused(Reason.WRONG_PROOF):
        Served.honest(world).with_cells(table.cells).audit(LIST)


def test_fill_of_another_key(world: World) -> None:
    served = Served.honest(world)
    with refused(Reason.FILL_CELL):
        served.audit(LIST, replace(served.prove(LIST), fill_key=Secret(bytes(32))))


def test_fill_that_is_random_elements(world: World) -> None:
    honest, fill = Served.honest(world), fill_cells(world)
    cells, group = honest.cells.copy(), world.manifest.group
    cells[fill] = group.multiply_base(group.random_scalars(len(fill), world.rng))
    with refused(Reason.FILL_CELL):
        honest.with_cells(cells).audit(LIST)


def test_a_duplicate_in_the_list(world: World) -> None:
    served, twice = Served.honest(world), sorted([*LIST, LIST[0]])
    with refused(Reason.DUPLICATE_ITEM):
        served.audit(twice, served.prove(LIST))


def test_a_duplicate_that_the_manifest_counts(world: World) -> None:
    """The server counts 31, one of them twice: room for one more. The auditor's list has 30."""
    larger = Served.honest(World([*NAMES, "extra"], world.suite, world.encoding))
    proof = larger.prove(listed([*NAMES, "extra"]))
    with refused(Reason.ITEM_COUNT):
        larger.audit(LIST, proof)
    with refused(Reason.DUPLICATE_ITEM):
        larger.audit(sorted([*LIST, LIST[0]]), proof)


def test_a_reordered_list(world: World) -> None:
    served = Served.honest(world)
    with refused(Reason.UNSORTED_LIST):
        served.audit([LIST[1], LIST[0], *LIST[2:]], served.prove(LIST))


def test_an_item_that_is_no_encoding(world: World) -> None:
    served = Served.honest(world)
    with refused(Reason.MALFORMED_ITEM):
        served.audit([*LIST[:-1], LIST[-1] + b"\0"], served.prove(LIST))


def test_types_that_are_not_the_lists(world: World) -> None:
    manifest = replace(world.manifest, types=("md5", "sha256"))
    served = replace(Served.honest(world), manifest=manifest)
    with refused(Reason.HASH_TYPES):
        served.audit(LIST)


def test_a_canary_that_is_not_in_the_list(world: World) -> None:
    for name, reason in ((0, None), ("no canary", Reason.CANARY_MISSING)):
        manifest = replace(world.manifest, canary=Canary("picture", bytes(32), (md5(name),)))
        served = replace(Served.honest(world), manifest=manifest)
        if reason is None:
            assert served.audit(LIST).items == len(LIST)
        else:
            with refused(reason):
                served.audit(LIST)


def test_a_seed_that_does_not_place_the_list(world: World) -> None:
    seed = next(seed for seed in (bytes((n,)) * 32 for n in range(256)) if lay_out(world.encoding, LIST, seed) is None)
    served = replace(Served.honest(world), manifest=replace(world.manifest, seed=seed))
    with refused(Reason.SEED):
        served.audit(LIST)


def test_a_table_from_another_epoch(world: World) -> None:
    first = Served.honest(world)
    second = Served.honest(World(NAMES, world.suite, world.encoding, seed="the next epoch"))
    with refused(Reason.OTHER_MANIFEST):
        second.audit(LIST, first.prove(LIST))
    with refused(Reason.OTHER_MANIFEST):
        TableProof.decode(first.prove(LIST).encode(), second.manifest)
    with refused(Reason.TABLE_DIGEST):
        replace(second, cells=first.cells).audit(LIST)


def test_a_proof_of_another_epoch_under_this_ones_digest(world: World) -> None:
    """Same secrets, same cells, but another manifest: all of it is in the challenge."""
    first = Served.honest(world)
    second = replace(first, manifest=replace(world.manifest, created=world.manifest.created + 1))
    with refused(Reason.WRONG_PROOF):
        second.audit(LIST, replace(first.prove(LIST), manifest_digest=second.manifest.digest))


def test_a_table_with_too_few_cells(world: World) -> None:
    honest = Served.honest(world)
    with refused(Reason.TABLE_SIZE):
        replace(honest, cells=honest.cells[:-1]).audit(LIST)


def test_challenge_and_response_reordered(world: World) -> None:
    served = Served.honest(world)
    proof = served.prove(LIST)
    swapped = Proof(proof.proof.response, proof.proof.challenge)
    with refused(Reason.WRONG_PROOF):
        served.audit(LIST, replace(proof, proof=swapped))


def test_any_bit_of_a_proof(world: World) -> None:
    served = Served.honest(world)
    proof = served.prove(LIST).proof
    for place in range(0, 63, 9):
        data = bytearray(proof.encode())
        data[place] ^= 1
        with refused(Reason.WRONG_PROOF):
            served.audit(LIST, replace(served.prove(LIST), proof=Proof(bytes(data[:32]), bytes(data[32:]))))


def test_the_identity_as_a_cell(world: World) -> None:
    assert_cell_refused(world, bytes(world.manifest.group.element_size))


def test_a_cell_that_is_not_a_canonical_encoding(world: World) -> None:
    cell = bytearray(Served.honest(world).cells[int(world.built.layout.assigned[0])].tobytes())
    if world.suite == RISTRETTO:
        cell[31] |= 0x80  # libsodium would ignore it, and see the same element
    else:
        cell[0] = 4
    assert_cell_refused(world, bytes(cell))


def assert_cell_refused(world: World, octets: bytes) -> None:
    honest = Served.honest(world)
    cells = honest.cells.copy()
    cells[int(world.built.layout.assigned[0])] = np.frombuffer(octets, np.uint8)
    with refused(Reason.INVALID_CELL):
        honest.with_cells(cells).audit(LIST)


@pytest.mark.parametrize("kind", ["identity", "not canonical"])
def test_a_public_key_that_is_no_element(world: World, kind: str) -> None:
    key = bytes(len(world.manifest.key)) if kind == "identity" else b"\xff" * len(world.manifest.key)
    served, honest = replace(world.manifest, key=key), Served.honest(world)
    proof = replace(honest.prove(LIST), manifest_digest=served.digest)
    with refused(Reason.INVALID_KEY):
        replace(honest, manifest=served).audit(LIST, proof)


def test_the_digest_of_other_cells(world: World) -> None:
    honest = Served.honest(world)
    cells = honest.cells.copy()
    cells[0] = cells[1]
    served = replace(honest, manifest=replace(world.manifest, root=file_root(cells)))
    with refused(Reason.TABLE_DIGEST):
        served.audit(LIST)


def test_a_list_as_builders_keep_it(world: World) -> None:
    packed = canonical_items(md5(name) for name in NAMES)
    assert Served.honest(world).audit(packed).items == len(NAMES)
