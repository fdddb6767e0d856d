"""The rule by which hashes come onto a list: named by at least k sources, as the manifest states it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

from tpsi import ItemHash, Manifest
from tpsi.table import PackedItems, canonical_items
from tpsi_audit.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Admission:
    """What the rule admits: the list that the table has to hold, and how many hashes it keeps out."""

    items: PackedItems
    kept_out: int


def check_admission(manifest: Manifest, sources: Mapping[str, PackedItems]) -> Admission:
    """Apply the manifest's rule to the sources' own lists; RefusedError if its sources or counts are others.

    A published picture's hashes (the canary) are on the list whatever the rule says: they stand in the manifest.
    """
    canary = manifest.canary.hashes if manifest.canary else ()
    stated = {source.name: source.items for source in manifest.sources}
    own = {"canary"} - sources.keys() if canary else set()
    if missing := stated.keys() - sources.keys() - own:
        raise RefusedError(f"the manifest names sources whose lists you did not give: {', '.join(sorted(missing))}")
    if unknown := sources.keys() - stated.keys():
        raise RefusedError(f"the manifest does not name these sources: {', '.join(sorted(unknown))}")
    for name, items in sources.items():
        if len(items) != stated[name]:
            raise RefusedError(
                f"the manifest says that {name} names {stated[name]} hashes; its list has {len(items)} of them"
            )
    if (minimum := manifest.minimum_sources) > len(sources):
        raise RefusedError(f"the rule asks for {minimum} sources, and there are {len(sources)}")
    kept_out = 0

    def admitted() -> Iterator[ItemHash]:
        nonlocal kept_out
        for item, named in groupby(merge(*sources.values())):
            if sum(1 for _ in named) >= minimum:
                yield ItemHash.decode(item)
            else:
                kept_out += 1
        yield from canary

    return Admission(canonical_items(admitted()), kept_out)
