"""Merging: which hashes of several sources are admitted, and which sources name each.

The rule is that a hash is admitted when at least k sources name it, however often each does. Lists are long, so they
are kept packed: every mention is a row of the digest and the number of its source, and sorting the rows of one type
brings together who names what.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.groups import Rows
from tpsi.items import ItemHash
from tpsi.table import PackedItems
from tpsi.table.packed import distinct, prefix_of

_SOURCE = np.dtype(">u2")
#: Sources that can be told apart: far more than a manifest names.
MAX_SOURCES = 2**16


class MergedList:
    """The admitted hashes, sorted by encoding; iterate over it for them as ItemHash.

    `sources` are the names of the sources, sorted. `encodings` are the admitted hashes' canonical
    encodings in order. `named_by_count[n]` is how many different hashes exactly n sources named
    (n from 1 to the number of sources), admitted or not. `refused` is how many the rule kept out.
    """

    def __init__(self, sources: Sequence[str], minimum_sources: int, blocks: Mapping[bytes, "_Block"]) -> None:
        self.sources = tuple(sources)
        self.minimum_sources = minimum_sources
        ordered = [blocks[prefix] for prefix in sorted(blocks)]
        self.encodings = PackedItems({prefix: block.digests for prefix, block in blocks.items()})
        named = sum((Counter(block.named_by_count) for block in ordered), Counter[int]())
        self.named_by_count = {n: named[n] for n in range(1, len(self.sources) + 1)}
        self.refused = named.total() - len(self.encodings)
        # who names the i-th hash stands in `_naming`, from where it ends for the one before
        self._naming = np.concatenate([np.zeros(0, _SOURCE), *(block.naming for block in ordered)])
        counts = np.concatenate([np.zeros(0, np.uint16), *(block.counts for block in ordered)])
        self._ends = np.cumsum(counts, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.encodings)

    def __iter__(self) -> Iterator[ItemHash]:
        return map(ItemHash.decode, self.encodings)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, ItemHash) and item.encode() in self.encodings

    def named_by(self, item: ItemHash) -> tuple[str, ...]:
        """The names of the sources that name `item`, sorted; empty if it is not admitted."""
        place = self.encodings.find(item.encode())
        return () if place is None else self._names(place)

    def provenance(self) -> Iterator[tuple[ItemHash, tuple[str, ...]]]:
        """Every admitted hash with the sorted names of the sources that name it."""
        for place, item in enumerate(self):
            yield item, self._names(place)

    def counts(self) -> NDArray[np.int64]:
        """How many sources name each admitted hash, in order."""
        counts: NDArray[np.int64] = np.diff(self._ends, prepend=0)
        return counts

    def combinations(self) -> dict[tuple[str, ...], int]:
        """How many admitted hashes each combination of sources names."""
        starts, counts = np.append(0, self._ends[:-1]), np.diff(self._ends, prepend=0)
        found: dict[tuple[str, ...], int] = {}
        for count in np.unique(counts).tolist():
            naming = self._naming[starts[: len(counts)][counts == count, None] + np.arange(count)]
            for numbers, times in zip(*np.unique(naming, axis=0, return_counts=True), strict=True):
                found[tuple([self.sources[number] for number in numbers.tolist()])] = int(times)
        return dict(sorted(found.items()))

    def _names(self, place: int) -> tuple[str, ...]:
        start = self._ends[place - 1] if place else 0
        return tuple([self.sources[number] for number in self._naming[start : self._ends[place]].tolist()])


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The admitted hashes of one type and size: digests in order, how many sources name each, and which these are."""

    digests: Rows
    counts: NDArray[np.uint16]
    naming: NDArray[np.uint16]
    named_by_count: Mapping[int, int]


def merge(sources: Mapping[str, Iterable[ItemHash]], minimum_sources: int) -> MergedList:
    """Admit the hashes that at least `minimum_sources` of the named sources name.

    Each source is read once, and may name a hash several times. Raises CallerError if
    `minimum_sources` is below 1 or above the number of sources.
    """
    if not 1 <= minimum_sources <= len(sources):
        available = f"there are {len(sources)} sources" if len(sources) != 1 else "there is 1 source"
        raise CallerError(f"a hash can be required from 1 source to all of them; {available}, {minimum_sources} asked")
    if len(sources) > MAX_SOURCES:
        raise CallerError(f"at most {MAX_SOURCES} sources can be merged, not {len(sources)}")
    names = sorted(sources)
    mentions: dict[tuple[str, int], bytearray] = {}
    for number, name in enumerate(names):
        mark = number.to_bytes(2, "big")
        for item in sources[name]:
            mentions.setdefault((item.type, len(item.digest)), bytearray()).extend(item.digest + mark)
    blocks: dict[bytes, _Block] = {}
    for label, size in list(mentions):
        rows = np.frombuffer(mentions.pop((label, size)), np.uint8).reshape(-1, size + 2)
        blocks[prefix_of(label, size)] = _admit(distinct(rows), minimum_sources)
    return MergedList(names, minimum_sources, blocks)


def _admit(rows: Rows, minimum: int) -> _Block:
    """What is admitted of the different mentions of one type and size, in order."""
    size = rows.shape[1] - _SOURCE.itemsize
    fields = rows.view([("digest", f"S{size}"), ("source", _SOURCE)]).reshape(-1)
    digests, naming = fields["digest"], fields["source"]
    starts = np.flatnonzero(np.append(True, digests[1:] != digests[:-1]))
    counts = np.diff(starts, append=len(rows))
    admitted = counts >= minimum
    kept = np.repeat(admitted, counts)
    chosen = digests[starts[admitted]].view(np.uint8).reshape(np.count_nonzero(admitted), size)
    named = dict(enumerate(np.bincount(counts).tolist()))
    return _Block(chosen, counts[admitted].astype(np.uint16), naming[kept], named)
