"""A list of item hashes in canonical form, packed: what a table is built from (specification, sections 3 and 4).

An encoding is a prefix, the same for all hashes of one type and size, and the digest. No prefix begins another, so
the ascending order of the encodings is that of the prefixes, and within one prefix that of the digests. A list is
thus kept as one array of digests for each prefix: 32 octets for a hash of 32, however many millions there are.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tpsi.groups import Rows
from tpsi.items import ItemHash


class PackedItems(Sequence[bytes]):
    """Distinct encoded item hashes in ascending order. A slice is a list of encodings.

    `blocks`: for every prefix its digests, (n, size), distinct and in ascending order.
    """

    def __init__(self, blocks: Mapping[bytes, Rows]) -> None:
        self._blocks = [(prefix, blocks[prefix]) for prefix in sorted(blocks) if len(blocks[prefix])]
        self._starts = np.cumsum([0, *(len(digests) for _, digests in self._blocks)]).tolist()

    @property
    def types(self) -> tuple[str, ...]:
        """The labels of the hash types that there are, sorted."""
        return tuple(sorted({_label(prefix) for prefix, _ in self._blocks}))

    def with_items(self, items: Iterable[ItemHash]) -> "PackedItems":
        """These items and others; nothing is copied but the blocks of the others' types."""
        blocks = dict(self._blocks)
        for prefix, digests in pack(items)._blocks:
            known = blocks.get(prefix, digests)
            blocks[prefix] = distinct(np.concatenate([known, digests]))
        return PackedItems(blocks)

    def blocks(self) -> Iterator[tuple[str, int, Rows]]:
        """For every type and size: the label, the place of the first of its items, and the digests, (n, size)."""
        for (prefix, digests), first in zip(self._blocks, self._starts, strict=False):
            yield _label(prefix), first, digests

    def without(self, places: Iterable[int]) -> "PackedItems":
        """The items but those at some places."""
        gone = np.zeros(len(self), bool)
        gone[list(places)] = True
        ends = self._starts[1:]
        parts = [~gone[first:end] for first, end in zip(self._starts, ends, strict=False)]
        return PackedItems({prefix: digests[kept] for (prefix, digests), kept in zip(self._blocks, parts, strict=True)})

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return [self[place] for place in range(start, stop, step)]
            return list(self._between(start, stop))
        if not -len(self) <= index < len(self):
            raise IndexError("there are not so many items")
        place = index % len(self)
        return next(self._between(place, place + 1))

    def __iter__(self) -> Iterator[bytes]:
        return self._between(0, len(self))

    def __contains__(self, item: object) -> bool:
        return isinstance(item, bytes) and self.find(item) is not None

    def find(self, encoded: bytes) -> int | None:
        """The place of an encoding; None if it is not in the list."""
        place = bisect_left(self, encoded)
        return place if place < len(self) and self[place] == encoded else None

    def _between(self, start: int, stop: int) -> Iterator[bytes]:
        for (prefix, digests), first in zip(self._blocks, self._starts, strict=False):
            size = digests.shape[1]
            octets = digests[max(0, start - first) : max(0, stop - first)].reshape(-1).data
            for at in range(0, len(octets), size):
                yield prefix + octets[at : at + size]


def pack(items: Iterable[ItemHash]) -> PackedItems:
    """Take in item hashes in any order, each any number of times."""
    digests: dict[tuple[str, int], bytearray] = {}
    for item in items:
        digests.setdefault((item.type, len(item.digest)), bytearray()).extend(item.digest)
    blocks: dict[bytes, Rows] = {}
    for label, size in list(digests):
        rows = np.frombuffer(digests.pop((label, size)), np.uint8).reshape(-1, size)
        blocks[prefix_of(label, size)] = distinct(rows)
    return PackedItems(blocks)


def prefix_of(label: str, size: int) -> bytes:
    """What the encodings of all hashes of a type and digest size begin with."""
    return ItemHash(label, bytes(size)).encode()[:-size]


def distinct(rows: Rows) -> Rows:
    """The different rows in ascending order. Sorts in place, so `rows` is to be writable and nobody else's."""
    if not len(rows):
        return rows
    strings = as_strings(rows)
    strings.sort()
    first = np.append(True, strings[1:] != strings[:-1])
    return rows if first.all() else rows[first]


def as_strings(rows: Rows) -> NDArray[np.bytes_]:
    """(n,): contiguous rows as strings of octets, which numpy compares as a whole."""
    strings: NDArray[np.bytes_] = rows.view(f"S{rows.shape[1]}").reshape(-1)
    return strings


def _label(prefix: bytes) -> str:
    return prefix[1:-1].decode("ascii")
