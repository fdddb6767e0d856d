"""The protocol's own operations on batches: what they give, whoever computes it."""

import secrets

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi.errors import CallerError, ElementError
from tpsi.groups import Equations, Group, Probed, Rows

FEW = settings(max_examples=15, deadline=None)
DST = b"tpsi-v1-item-test"
SCALAR = st.integers(1, 2**250)


def multiples(group: Group, *values: int) -> Rows:
    return group.multiply_base(group.encode_scalars(values))


def messages(count: int) -> list[bytes]:
    return [b"item %d" % number for number in range(count)]


def blocks(rows: Rows, *shape: int) -> Rows:
    return rows.reshape(*shape, rows.shape[-1])


# Blinding


@FEW
@given(value=SCALAR, items=st.lists(st.binary(max_size=300), max_size=5))
def test_blinding_multiplies_every_hash(group: Group, value: int, items: list[bytes]) -> None:
    scalar = group.encode_scalars([value])
    assert np.array_equal(group.blind(scalar, items, DST), group.multiply(scalar, group.hash_to_group(items, DST)))


def test_blinding_by_zero_gives_the_identity_and_refuses_no_scalar_silently(group: Group) -> None:
    assert not group.blind(group.encode_scalars([0]), messages(3), DST).any()
    with pytest.raises(CallerError):
        group.blind(np.full((1, group.scalar_size), 0xFF, np.uint8), messages(3), DST)
    with pytest.raises(CallerError):
        group.blind(group.encode_scalars([1]), messages(3), b"")


def test_blinding_many_is_blinding_each(group: Group) -> None:
    scalar = group.encode_scalars([12345])
    items = messages(300)
    one_by_one = np.concatenate([group.blind(scalar, [item], DST) for item in items[::50]])
    assert np.array_equal(group.blind(scalar, items, DST)[::50], one_by_one)


# Candidates and slots


def hostile_cells(group: Group) -> list[Rows]:
    """Triples of cells: sound ones, and each way in which a lookup can be spoilt (specification, section 10.4)."""
    one, two, three = (multiples(group, value)[0] for value in (1, 2, 3))
    minus_three = multiples(group, -3)[0]
    identity, rubbish = np.zeros_like(one), np.full_like(one, 0xFF)
    return [
        np.stack(cells)
        for cells in [
            (one, two, three),
            (one, one, one),
            (one, two, minus_three),  # their sum is the identity
            (three, minus_three, one),  # a partial sum is
            *((identity, one, two), (one, identity, two), (one, two, identity)),
            *((rubbish, one, two), (one, rubbish, two), (one, two, rubbish)),
            (rubbish, rubbish, identity),
        ]
    ]


GOOD_SUMS = [True, True, False, True] + [False] * 7


def test_bad_sums_are_no_candidates(group: Group) -> None:
    cells = np.stack(hostile_cells(group))
    points, good = group.candidates(cells, 1)
    assert good.tolist() == [[sound] for sound in GOOD_SUMS]
    assert np.array_equal(points[good], multiples(group, 6, 3, 1))


def test_bad_and_repeated_cells_are_no_candidates(group: Group) -> None:
    cells = np.stack([pair[:2] for pair in hostile_cells(group)])
    points, good = group.candidates(cells, 2)
    assert good.tolist() == [
        *([True, True], [True, False], [True, True], [True, True], [False, True], [True, False], [True, True]),
        *([False, True], [True, False], [True, True], [False, False]),
    ]
    assert np.array_equal(points[good], cells[good])


@pytest.mark.parametrize("count", [1, 2])
def test_slots_are_the_two_products_of_every_good_candidate(group: Group, count: int) -> None:
    cells = np.stack([cells[: 3 if count == 1 else 2] for cells in hostile_cells(group)])
    items, n = messages(len(cells)), len(cells)
    betas, gammas = (blocks(group.random_scalars(n * count, secrets.token_bytes), n, count) for _ in range(2))
    key = multiples(group, 77)
    points, good = group.candidates(cells, count)
    slots = group.seal(Probed(items, DST, cells), betas, gammas, key)
    assert np.array_equal(slots.good, good)
    hashed = group.hash_to_group(items, DST)
    for i, j in np.ndindex(n, count):
        beta, gamma = betas[i, j][None], gammas[i, j][None]
        masked = group.multiply_base(gamma)
        if not good[i, j]:
            assert np.array_equal(slots.q[i, j], masked[0])  # as in a random slot
            continue
        assert np.array_equal(slots.q[i, j][None], group.add(group.multiply(beta, hashed[i : i + 1]), masked))
        s = group.add(group.multiply(beta, points[i, j][None]), group.multiply(gamma, key))
        assert np.array_equal(slots.s[i, j][None], s)


def test_slots_of_many_items_and_of_none(group: Group) -> None:
    alpha, n = group.encode_scalars([424242]), 150
    items, key = messages(n), group.multiply_base(alpha)
    values = group.blind(alpha, items, DST)
    parts = np.stack([multiples(group, *range(k, k + n)) for k in (3, 900)], axis=1)
    last = group.subtract(group.subtract(values, parts[:, 0]), parts[:, 1])
    cells = np.concatenate([parts, last[:, None]], axis=1)
    betas, gammas = (blocks(group.random_scalars(n, secrets.token_bytes), n, 1) for _ in range(2))
    slots = group.seal(Probed(items, DST, cells), betas, gammas, key)
    assert slots.good.all()
    assert np.array_equal(slots.s[:, 0], group.multiply(alpha, slots.q[:, 0]))  # alpha opens what is listed
    none = group.seal(Probed([], DST, cells[:0]), betas[:0], gammas[:0], key)
    assert [part.shape for part in none] == [(0, 1, group.element_size), (0, 1, group.element_size), (0, 1)]


def test_slots_of_scalars_that_are_not_reduced_are_refused(group: Group) -> None:
    cells, one = np.stack(hostile_cells(group)[:1]), blocks(group.encode_scalars([1]), 1, 1)
    for betas, gammas in ((np.full_like(one, 0xFF), one), (one, np.full_like(one, 0xFF))):
        with pytest.raises(CallerError):
            group.seal(Probed([b"x"], DST, cells), betas, gammas, multiples(group, 5))


# A fuse table's equations


def chain(group: Group, length: int) -> tuple[Rows, Equations]:
    """A table in which every equation needs the solution of the one before; every third pair shares a round."""
    cells = multiples(group, 5, 9, *range(100, 100 + length))
    own = np.arange(2, length + 2)
    others = np.stack([own - 2, own - 1], axis=1)
    return cells, Equations(own, others, [1] * length)


def test_equations_are_solved_in_order(group: Group) -> None:
    length = 150
    cells, equations = chain(group, length)
    told: list[tuple[int, int]] = []
    group.solve(cells, equations, lambda done, total: told.append((done, total)))
    expected = [5, 9]
    for number in range(length):
        expected.append(100 + number - expected[-2] - expected[-1])
    assert np.array_equal(cells, multiples(group, *expected))
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_cells_that_lie_in_columns_are_solved_or_refused_and_not_misread(group: Group) -> None:
    cells, equations = chain(group, 5)
    expected = cells.copy()
    group.solve(expected, equations, lambda _done, _total: None)
    columns = np.asfortranarray(cells)
    try:
        group.solve(columns, equations, lambda _done, _total: None)
    except CallerError:
        assert np.array_equal(columns, cells)
    else:
        assert np.array_equal(columns, expected)


def test_equations_of_one_round_and_of_none(group: Group) -> None:
    cells = multiples(group, 1, 2, *range(70))
    own = np.arange(2, 72)
    equations = Equations(own, np.tile([0, 1], (70, 1)), [70])
    group.solve(cells, equations, lambda _done, _total: None)
    assert np.array_equal(cells[2:], multiples(group, *(value - 3 for value in range(70))))
    before = cells.copy()
    none = Equations(own[:0], np.zeros((0, 2), np.int64), [])
    group.solve(cells, none, lambda _done, _total: None)
    assert np.array_equal(cells, before)


@pytest.mark.parametrize("cell", [1, 4])
def test_equations_with_an_invalid_element_are_refused(group: Group, cell: int) -> None:
    cells, equations = chain(group, 5)
    cells[cell] = 0xFF
    with pytest.raises(ElementError):
        group.solve(cells, equations, lambda _done, _total: None)


def test_a_progress_report_that_raises_ends_the_work_with_its_error(group: Group) -> None:
    cells, equations = chain(group, 5)

    def full(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        group.solve(cells, equations, full)
