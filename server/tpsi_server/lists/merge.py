"""Merging: which hashes of several sources are admitted, and which sources name each.

The rule is that a hash is admitted when at least k sources name it, however often each does.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tpsi.errors import CallerError
from tpsi.items import ItemHash


class MergedList:
    """The admitted hashes, sorted by encoding; iterate over it for them as ItemHash.

    `sources` are the names of the sources, sorted. `encodings` are the admitted hashes' canonical
    encodings in order. `named_by_count[n]` is how many different hashes exactly n sources named
    (n from 1 to the number of sources), admitted or not. `refused` is how many the rule kept out.
    """

    def __init__(self, sources: Sequence[str], minimum_sources: int, masks: Mapping[bytes, int]) -> None:
        self.sources = tuple(sources)
        self.minimum_sources = minimum_sources
        counts = Counter(mask.bit_count() for mask in masks.values())
        self.named_by_count = {n: counts[n] for n in range(1, len(self.sources) + 1)}
        self.encodings = sorted(code for code, mask in masks.items() if mask.bit_count() >= minimum_sources)
        self.refused = len(masks) - len(self.encodings)
        # few combinations of sources occur: each is kept once, and an index to it for every hash
        indices: dict[int, int] = {}
        self._combination = array("L", (indices.setdefault(masks[code], len(indices)) for code in self.encodings))
        self._combinations = [self._names(mask) for mask in indices]

    def __len__(self) -> int:
        return len(self.encodings)

    def __iter__(self) -> Iterator[ItemHash]:
        return map(ItemHash.decode, self.encodings)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, ItemHash) and self._find(item) is not None

    def named_by(self, item: ItemHash) -> tuple[str, ...]:
        """The names of the sources that name `item`, sorted; empty if it is not admitted."""
        index = self._find(item)
        return () if index is None else self._combinations[self._combination[index]]

    def provenance(self) -> Iterator[tuple[ItemHash, tuple[str, ...]]]:
        """Every admitted hash with the sorted names of the sources that name it."""
        for item, index in zip(self, self._combination, strict=True):
            yield item, self._combinations[index]

    def combinations(self) -> dict[tuple[str, ...], int]:
        """How many admitted hashes each combination of sources names."""
        counts = Counter(self._combination)
        return {names: counts[index] for index, names in sorted(enumerate(self._combinations), key=lambda c: c[1])}

    def _find(self, item: ItemHash) -> int | None:
        code = item.encode()
        index = bisect_left(self.encodings, code)
        return index if index < len(self.encodings) and self.encodings[index] == code else None

    def _names(self, mask: int) -> tuple[str, ...]:
        return tuple(name for bit, name in enumerate(self.sources) if mask >> bit & 1)


def merge(sources: Mapping[str, Iterable[ItemHash]], minimum_sources: int) -> MergedList:
    """Admit the hashes that at least `minimum_sources` of the named sources name.

    Each source is read once, and may name a hash several times. Raises CallerError if
    `minimum_sources` is below 1 or above the number of sources.
    """
    if not 1 <= minimum_sources <= len(sources):
        available = f"there are {len(sources)} sources" if len(sources) != 1 else "there is 1 source"
        raise CallerError(f"a hash can be required from 1 source to all of them; {available}, {minimum_sources} asked")
    names = sorted(sources)
    masks: dict[bytes, int] = {}
    for bit, name in enumerate(names):
        for item in sources[name]:
            code = item.encode()
            masks[code] = masks.get(code, 0) | 1 << bit
    return MergedList(names, minimum_sources, masks)
