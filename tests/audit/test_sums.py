"""Sums in pieces: the weights of cells are exact, and give the sum of the lookups that nobody computes."""

import numpy as np
import pytest

from tests.audit.making import NAMES, listed
from tests.support.world import P256, RISTRETTO, World
from tpsi import ElementError
from tpsi.audit.sums import BATCH, CellWeights, Sum, pieces, scalars_of
from tpsi.audit.transcript import Transcript
from tpsi.groups import group
from tpsi.labels import Label


def as_integers(rows: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[int]:
    return [int.from_bytes(row.tobytes(), "big") for row in rows]


def test_sums_of_weights_carry() -> None:
    largest = np.full((1000, 16), 0xFF, np.uint8)
    sums = CellWeights(3)
    sums.add(largest, np.zeros((1000, 1), np.int64))
    sums.add(largest[:1], np.array([[2]]))
    assert as_integers(sums.of(0, 3)) == [1000 * (2**128 - 1), 0, 2**128 - 1]
    assert as_integers(sums.of(2, 3)) == [2**128 - 1]


def test_sums_of_weights_are_those_of_integers() -> None:
    transcript = Transcript.of(group(RISTRETTO), Label.AUDIT_TABLE, b"sums")
    weights, random = transcript.weights(0, 500), np.random.default_rng(1)
    touched = random.integers(0, 40, (500, 3))
    sums, expected = CellWeights(40), [0] * 40
    for start, stop in pieces(500, 130):
        sums.add(weights[start:stop], touched[start:stop])
    for weight, cells in zip(as_integers(weights), touched.tolist(), strict=True):
        for cell in cells:
            expected[cell] += weight
    assert as_integers(sums.of(0, 40)) == expected


@pytest.mark.parametrize("suite", [RISTRETTO, P256])
def test_weighted_cells_are_weighted_lookups(suite: str) -> None:
    world, items = World(NAMES, suite), listed(NAMES)
    chosen, table = world.manifest.group, world.built.table
    weights = Transcript.of(chosen, Label.AUDIT_TABLE, b"lookups").weights(0, len(items))
    sums = CellWeights(len(table.cells))
    sums.add(weights, world.built.layout.positions)
    by_cells, by_lookups = Sum(chosen), Sum(chosen)
    by_cells.add(sums.of(0, len(table.cells)), table.cells)
    by_lookups.add(weights, table.lookup(items).elements[:, 0])
    assert np.array_equal(by_cells.value, by_lookups.value)


@pytest.mark.parametrize("suite", [RISTRETTO, P256])
def test_weights_as_scalars(suite: str) -> None:
    chosen = group(suite)
    wide = np.array([list(n.to_bytes(20, "big")) for n in (0, 1, 2**159 + 77)], np.uint8)
    assert chosen.decode_scalars(scalars_of(chosen, wide)) == as_integers(wide)


@pytest.mark.parametrize("suite", [RISTRETTO, P256])
def test_what_is_no_element_is_not_added(suite: str) -> None:
    chosen = group(suite)
    with pytest.raises(ElementError):
        Sum(chosen).add(np.ones((1, 16), np.uint8), np.full((1, chosen.element_size), 0xFF, np.uint8))


def test_pieces_cover_everything_once() -> None:
    assert pieces(0) == []
    assert pieces(2 * BATCH + 1) == [(0, BATCH), (BATCH, 2 * BATCH), (2 * BATCH, 2 * BATCH + 1)]
