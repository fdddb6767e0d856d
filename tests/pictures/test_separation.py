"""Neighbours on a list: all of them are found, and what is left holds no two."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.pictures import dropped, neighbours, separation

Rows = NDArray[np.uint8]


def clustered(count: int, size: int, seed: int) -> Rows:
    """Random digests, half of them others with a few bits changed."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 256, (count, size), np.uint8)
    for row in range(count // 2, count):
        bits = np.unpackbits(rows[random.integers(count // 2)])
        bits[random.integers(0, 8 * size, random.integers(1, 12))] ^= 1
        rows[row] = np.packbits(bits)
    return rows


def by_comparing_all(rows: Rows, within: int) -> list[list[int]]:
    """Every pair, the slow way."""
    distances = np.bitwise_count(rows[:, None] ^ rows[None]).sum(axis=2, dtype=int)
    return np.argwhere(np.triu(distances <= within, 1)).tolist()


@pytest.mark.parametrize("size", [8, 10, 13, 32])
@pytest.mark.parametrize("within", [2, 4, 6, 8, 10])
def test_all_neighbours_are_found_and_no_others(size: int, within: int) -> None:
    rows = clustered(600, size, size * within)
    expected = by_comparing_all(rows, within)
    assert expected
    assert neighbours(rows, within).tolist() == expected


@pytest.mark.parametrize("alike", [1, 2, 3, 4])
def test_the_number_of_parts_does_not_change_what_is_found(alike: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clustered(400, 10, 7)
    monkeypatch.setattr(separation, "_parts_alike", lambda *_: alike)
    assert neighbours(rows, 6).tolist() == by_comparing_all(rows, 6)


def test_what_is_left_holds_no_two_neighbours_and_what_is_dropped_has_one() -> None:
    rows = clustered(600, 10, 3)
    order = np.random.default_rng(4).permutation(600)
    gone = dropped(neighbours(rows, 6), order)
    left = [place for place in range(600) if place not in gone]
    assert not by_comparing_all(rows[left], 6)
    rank = {int(place): number for number, place in enumerate(order)}
    for place, stronger in gone.items():
        assert stronger in left
        assert rank[stronger] < rank[place]
        assert np.bitwise_count(rows[place] ^ rows[stronger]).sum() <= 6


def test_a_list_without_neighbours() -> None:
    rows = np.random.default_rng(5).integers(0, 256, (5000, 32), np.uint8)
    for few in (rows, rows[:1], rows[:0]):
        assert neighbours(few, 6).shape == (0, 2)
    assert dropped(neighbours(rows, 6), range(5000)) == {}


@pytest.mark.parametrize("limit", ["MAX_PAIRS", "MAX_COMPARED"])
def test_a_flooded_list_is_refused_in_bounded_work(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros((300, 10), np.uint8)
    rows[:, 9] = np.arange(300) % 256
    monkeypatch.setattr(separation, limit, 1000)
    with pytest.raises(CallerError, match="which source floods it"):
        neighbours(rows, 8)
