"""Packed lists are the sorted, distinct encodings, whatever the types and sizes of their hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.world import md5
from tpsi import ItemHash
from tpsi.table.packed import PackedItems, pack

LABELS = st.sampled_from(["a", "ab", "md5", "pdq", "zz-9"])


def _item(label: str, digest: bytes) -> ItemHash:
    sizes = {"md5": 16, "pdq": 32}
    return ItemHash(label, digest.ljust(32, b"\0")[: sizes.get(label, max(1, len(digest)))])


ITEMS = st.lists(st.builds(_item, LABELS, st.binary(max_size=5)), max_size=60)


def _plain(items: list[ItemHash]) -> list[bytes]:
    return sorted({item.encode() for item in items})


@given(ITEMS)
def test_a_packed_list_is_the_sorted_set_of_encodings(items: list[ItemHash]) -> None:
    packed, plain = pack(items), _plain(items)
    assert list(packed) == plain
    assert len(packed) == len(plain)
    assert [packed[place] for place in range(-len(plain), len(plain))] == plain + plain
    assert packed.types == tuple(sorted({item.type for item in items}))


@given(ITEMS, st.slices(70))
def test_slices_are_those_of_a_list(items: list[ItemHash], part: slice) -> None:
    assert pack(items)[part] == _plain(items)[part]


@given(ITEMS, ITEMS)
def test_membership_and_places_are_those_of_the_encodings(items: list[ItemHash], others: list[ItemHash]) -> None:
    packed, plain = pack(items), _plain(items)
    for item in [*items, *others]:
        code = item.encode()
        assert packed.find(code) == (plain.index(code) if code in plain else None)
        assert (code in packed) == (code in plain)


@given(ITEMS, ITEMS)
def test_items_are_added_without_changing_the_list_they_are_added_to(one: list[ItemHash], two: list[ItemHash]) -> None:
    packed = pack(one)
    assert list(packed.with_items(two)) == _plain([*one, *two])
    assert list(packed) == _plain(one)


def test_digests_that_end_in_zeros_are_told_apart_and_kept_whole() -> None:
    digests = [bytes(16), b"\x01" + bytes(15), bytes(15) + b"\x01", b"\xff" + bytes(15)]
    packed = pack([ItemHash("md5", digest) for digest in [*digests, *digests]])
    assert [code[-16:] for code in packed] == sorted(digests)


def test_a_place_outside_of_the_list_is_an_error() -> None:
    packed = pack([md5(1), md5(2)])
    with pytest.raises(IndexError):
        packed[2]
    with pytest.raises(IndexError):
        packed[-3]
    assert list(PackedItems({})) == []
