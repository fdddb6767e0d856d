"""A hostile table is no oracle: the server plays each attack (specification, sections 7.4, 7.6 and 10.4).

In each test the server chooses cells freely, knows α, and looks at all that a device sends.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.drbg import Drbg
from tests.support.world import World, items_of, md5
from tpsi import (
    BlindedTable,
    Item,
    Kind,
    Manifest,
    Probes,
    SealedBatch,
    Synthetic,
    SyntheticMode,
    VerificationError,
    Voucher,
    seal,
)
from tpsi.groups import Rows
from tpsi.table import hash_items
from tpsi.trust import Pins, check_parameters

TARGET = "the item that the server wants to find"
INVALID = b"\xff" * 32
IDENTITY = bytes(32)


def own_cells(world: World, name: object) -> list[int]:
    """Where the table has an item's cells."""
    positions = world.built.table.geometry.positions([md5(name).encode()], world.built.table.seed)
    return [int(cell) for cell in positions[0]]


def rows(*elements: bytes) -> Rows:
    return np.frombuffer(b"".join(elements), np.uint8).reshape(len(elements), -1)


def blinded(world: World, name: object) -> bytes:
    """α·H(name), which the server can compute for any name."""
    group = world.manifest.group
    return group.multiply(world.built.secrets.scalar(group), hash_items(group, [md5(name).encode()])).tobytes()


def invalid_cell(world: World) -> BlindedTable:
    cells = world.built.table.cells.copy()
    cells[own_cells(world, TARGET)[0]] = rows(INVALID)[0]
    return world.with_cells(cells)


def identity_cell(world: World) -> BlindedTable:
    cells = world.built.table.cells.copy()
    cells[own_cells(world, TARGET)[0]] = rows(IDENTITY)[0]
    return world.with_cells(cells)


def identity_sum(world: World) -> BlindedTable:
    group, cells = world.manifest.group, world.built.table.cells.copy()
    first, second, third = own_cells(world, TARGET)
    total = group.add(cells[[first]], cells[[second]])
    cells[third] = group.subtract(rows(IDENTITY), total)[0]
    return world.with_cells(cells)


def partial_identity(world: World) -> BlindedTable:
    """T[0] + T[1] is the identity, the whole sum is not: a sound candidate, which must not be refused."""
    group, cells = world.manifest.group, world.built.table.cells.copy()
    first, second, third = own_cells(world, TARGET)
    cells[second] = group.subtract(rows(IDENTITY), cells[[first]])[0]
    cells[third] = rows(blinded(world, TARGET))[0]
    return world.with_cells(cells)


def repeated_match(world: World) -> BlindedTable:
    """Both cells of a cuckoo table hold α·H(target): without a check two slots would open."""
    cells = world.built.table.cells.copy()
    for cell in own_cells(world, TARGET):
        cells[cell] = rows(blinded(world, TARGET))[0]
    return world.with_cells(cells)


def repeated_other(world: World) -> BlindedTable:
    cells = world.built.table.cells.copy()
    first, second = own_cells(world, TARGET)
    cells[second] = cells[first]
    return world.with_cells(cells)


def shape(batch: SealedBatch) -> list[tuple[Kind, int]]:
    return [(voucher.kind, len(voucher.data)) for voucher in batch.vouchers]


@pytest.mark.parametrize(
    ("encoding", "attack"),
    [
        ("fuse", invalid_cell),
        ("fuse", identity_cell),
        ("fuse", identity_sum),
        ("cuckoo", invalid_cell),
        ("cuckoo", identity_cell),
        ("cuckoo", repeated_other),
    ],
)
def test_a_bad_candidate_changes_nothing_that_the_server_sees(encoding: str, attack: object) -> None:
    world = World(range(20), encoding=encoding)
    honest = world.seal([TARGET, 100, 101])
    table = attack(world)  # type: ignore[operator]
    attacked = world.seal([TARGET, 100, 101], world.device(table=table))
    assert shape(attacked) == shape(honest)
    assert world.match(attacked) == world.match(honest) == [None, None, None]
    assert attacked.bad_candidates == 1  # for the device's owner
    assert honest.bad_candidates == 0
    group = world.manifest.group
    for voucher in attacked.vouchers:
        decoded = Voucher.decode(voucher.data, world.manifest)
        assert group.valid(rows(*(slot.q for slot in decoded.slots))).all()


def test_both_cells_with_the_match_open_one_slot_alone() -> None:
    world = World(range(20), encoding="cuckoo")
    batch = world.seal([TARGET], world.device(table=repeated_match(world)))
    assert batch.bad_candidates == 1
    assert open_slots(world, batch) == [1]


def test_a_partial_sum_that_is_the_identity_is_no_incident() -> None:
    world = World(range(20))
    batch = world.seal([TARGET], world.device(table=partial_identity(world)))
    assert batch.bad_candidates == 0
    assert open_slots(world, batch) == [1]  # the server listed it, in its way: it may match, once


def test_a_table_of_nothing_but_invalid_cells_still_gives_vouchers() -> None:
    for encoding in ("fuse", "cuckoo"):
        world = World(range(20), encoding=encoding, synthetic=Synthetic(SyntheticMode.REPLACE, 300_000))
        device = world.device(table=world.with_cells(np.full_like(world.built.table.cells, 0xFF)))
        batch = world.seal(range(30), device)
        assert {voucher.kind for voucher in batch.vouchers} == {Kind.REAL, Kind.SYNTHETIC}
        real = [voucher.kind is Kind.REAL for voucher in batch.vouchers]
        assert [one is None for one in world.match(batch)] == real  # synthetic ones open as ever


def open_slots(world: World, batch: SealedBatch) -> list[int]:
    """How many slots of each voucher the server can open."""
    from tpsi.symmetric import open_sealed
    from tpsi.voucher import context, slot_data, slot_key

    group, counts = world.manifest.group, []
    for sealed in batch.vouchers:
        voucher = Voucher.decode(sealed.data, world.manifest)
        bound = context(world.manifest, voucher.header, "alice")
        products = group.multiply(world.built.secrets.scalar(group), rows(*(slot.q for slot in voucher.slots)))
        keys = [slot_key(world.manifest, s.tobytes(), slot.q) for s, slot in zip(products, voucher.slots, strict=True)]
        opened = [open_sealed(key, slot.ct, slot_data(bound)) for key, slot in zip(keys, voucher.slots, strict=True)]
        counts.append(sum(one is not None for one in opened))
    return counts


def test_at_most_one_slot_opens_for_one_probe_whatever_the_table_holds() -> None:
    """Random mixtures of the target's own α·H, other elements, the identity and rubbish in the cells."""
    for encoding in ("fuse", "cuckoo"):
        world = World(range(20), encoding=encoding)
        choices = [
            blinded(world, TARGET),
            blinded(world, 3),
            IDENTITY,
            INVALID,
            world.built.table.cells[0].tobytes(),
        ]
        rng = Drbg(encoding)
        for _ in range(25):
            cells = world.built.table.cells.copy()
            for cell in own_cells(world, TARGET):
                cells[cell] = rows(choices[rng(1)[0] % len(choices)])[0]
            batch = world.seal([TARGET], world.device(table=world.with_cells(cells)))
            assert open_slots(world, batch)[0] <= 1


def test_several_listed_probes_are_only_met_on_lists_that_state_to_be_separated() -> None:
    """The attack works on a list with neighbouring hashes, so a device demands the signed statement."""
    world = World([1, 2], probes=Probes(2, False))
    item = Item(b"i", (md5(1), md5(2)))
    batch = seal(world.device(), [item], rng=world.rng)
    assert open_slots(world, batch) == [2]  # the tell-tale that a synthetic voucher never shows…
    pins = Pins(world.manifest.list_id, bytes(32), 1, modes=(SyntheticMode.NONE,))
    with pytest.raises(VerificationError, match="separated"):  # …which is why such a manifest is refused
        check_parameters(world.manifest, pins)


def test_copies_make_null_vouchers_so_that_no_coordinate_repeats() -> None:
    world = World(range(20), synthetic=Synthetic(SyntheticMode.REPLACE, 300_000))
    batch = world.seal([*range(20), *range(20), *range(100, 120), *range(100, 120)])
    coordinates = [one.share[:8] for one in world.opened(batch)]
    assert len(set(coordinates)) == len(coordinates)
    assert [voucher.kind for voucher in batch.vouchers[20:40]] == [Kind.NULL] * 20


def test_an_item_is_known_when_any_of_its_probes_is() -> None:
    """Neighbouring pictures share probes; the second must not repeat the coordinate of the one that matched."""
    world = World([2], probes=Probes(2, True))
    first, second = Item(b"a", (md5(1), md5(2))), Item(b"b", (md5(2), md5(3)))
    batch = seal(world.device(), [first, second], rng=world.rng)
    assert [voucher.kind for voucher in batch.vouchers] == [Kind.REAL, Kind.NULL]


def test_resealing_under_a_changed_list_shows_nothing() -> None:
    """The server drops hash 1 from the list and looks for the share that vanishes: the device seals nothing again."""
    before = World(range(20))
    remembered: set[bytes] = set()
    batch = before.seal(range(6), known=remembered.__contains__)
    remembered.update(tag for tags in batch.tags for tag in tags)
    after = World([name for name in range(20) if name != 1], seed="after")
    after.manifest = _same_list(after, before)
    again = after.seal(range(6), after.device(), known=remembered.__contains__)
    assert {voucher.kind for voucher in again.vouchers} == {Kind.NULL}
    assert after.opened(again) == []


def test_a_changed_threshold_does_not_make_a_device_forget() -> None:
    """Memory tags depend on list and generation alone: new sharing parameters are no way to have items sealed again."""
    from tpsi import Pool, Secret, Sharing, derive
    from tpsi.account import probe_tags

    world = World(range(5))
    keys = world.keys()
    other = derive(Secret(b"\x11" * 32), Pool(world.manifest.list_id, 0, Sharing(1, 9)))
    assert probe_tags(keys, [md5(1).encode()]) == probe_tags(other, [md5(1).encode()])
    rescan = derive(Secret(b"\x11" * 32), replace(keys.pool, generation=1))
    assert probe_tags(keys, [md5(1).encode()]) != probe_tags(rescan, [md5(1).encode()])


def test_a_deliberate_rescan_is_unlinkable_to_the_first_scan() -> None:
    world = World(range(20), synthetic=Synthetic(SyntheticMode.REPLACE, 300_000))
    first = world.seal(range(40))
    second = world.seal(range(40), world.device(generation=1))
    shares = [{one.share[:8] for one in world.opened(batch)} for batch in (first, second)]
    assert not shares[0] & shares[1]
    kinds = [[voucher.kind for voucher in batch.vouchers] for batch in (first, second)]
    assert kinds[0] != kinds[1]  # synthetic decisions are fresh as well
    assert {one.generation for one in world.opened(second)} == {1}


def _same_list(world: World, as_in: World) -> Manifest:
    return replace(world.manifest, list_id=as_in.manifest.list_id, epoch=2, previous=as_in.manifest.digest)


def test_the_same_items_sealed_twice_look_unrelated_to_somebody_without_alpha() -> None:
    world = World(range(20))
    first, second = (seal(world.device(), items_of(range(5)), rng=Drbg(seed)) for seed in ("a", "b"))
    parts = [
        {v.data[start : start + 16] for start in range(1 + 16, len(v.data) - 16)}
        for v in (first.vouchers[0], second.vouchers[0])
    ]
    common = parts[0] & parts[1]
    # only the generation, slot count and size class in the header can agree, and they are shorter than sixteen octets
    assert common == set()
