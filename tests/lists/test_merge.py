"""Merging: the rule of k sources, provenance, and order."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi_server.lists import merge


def item(number: int, label: str = "md5") -> ItemHash:
    """An item that is different for every number."""
    return ItemHash(label, number.to_bytes(16, "big"))


SOURCES = {
    "iwf": [item(1), item(2), item(3), item(1)],
    "ncmec": [item(3), item(2)],
    "vic": [item(3), item(4)],
}


def test_rule_of_two_sources() -> None:
    merged = merge(SOURCES, 2)
    assert list(merged) == [item(2), item(3)]
    assert len(merged) == 2
    assert merged.refused == 2
    assert merged.named_by_count == {1: 2, 2: 1, 3: 1}
    assert merged.named_by(item(2)) == ("iwf", "ncmec")
    assert list(merged.provenance()) == [(item(2), ("iwf", "ncmec")), (item(3), ("iwf", "ncmec", "vic"))]
    assert merged.combinations() == {("iwf", "ncmec"): 1, ("iwf", "ncmec", "vic"): 1}


def test_source_that_repeats_itself_counts_once() -> None:
    assert list(merge({"a": [item(1)] * 5, "b": []}, 2)) == []


def test_item_that_is_not_admitted_has_no_provenance() -> None:
    merged = merge(SOURCES, 2)
    assert merged.named_by(item(1)) == ()
    assert item(1) not in merged
    assert item(2) in merged
    assert "md5" not in merged


def test_same_digest_under_two_types_is_two_items() -> None:
    assert list(merge({"a": [item(1)], "b": [item(1, "custom")]}, 2)) == []


def test_order_is_that_of_the_encodings() -> None:
    items = [item(2), item(1), ItemHash("sha1", bytes(20)), ItemHash("pdq", bytes(32)), item(1, "zz")]
    merged = list(merge({"a": items}, 1))
    assert merged == sorted(items, key=ItemHash.encode)
    assert merged != sorted(items)


def test_sources_are_read_once() -> None:
    def stream() -> Iterator[ItemHash]:
        yield item(1)

    assert list(merge({"a": stream(), "b": stream()}, 2)) == [item(1)]


@pytest.mark.parametrize("minimum", [0, -1, 4])
def test_rule_that_no_hash_could_meet_or_that_asks_for_nothing(minimum: int) -> None:
    with pytest.raises(CallerError, match="3 sources"):
        merge(SOURCES, minimum)


def test_no_sources_at_all() -> None:
    with pytest.raises(CallerError, match="0 sources"):
        merge({}, 1)


@given(
    sources=st.dictionaries(st.text(max_size=3), st.lists(st.integers(0, 20)), min_size=1, max_size=12),
    data=st.data(),
)
def test_agrees_with_counting_one_by_one(sources: dict[str, list[int]], data: st.DataObject) -> None:
    minimum = data.draw(st.integers(1, len(sources)))
    merged = merge({name: [item(n) for n in numbers] for name, numbers in sources.items()}, minimum)
    naming = {n: tuple(sorted(s for s in sources if n in sources[s])) for n in range(21)}
    expected = [n for n in range(21) if len(naming[n]) >= minimum]
    assert list(merged) == [item(n) for n in expected]
    assert list(merged.provenance()) == [(item(n), naming[n]) for n in expected]
    assert merged.refused == sum(0 < len(names) < minimum for names in naming.values())
    assert sum(merged.combinations().values()) == len(merged)
    assert sum(merged.named_by_count.values()) == len(merged) + merged.refused
