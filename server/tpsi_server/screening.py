"""Screening: what is left out of a table because it would match innocent pictures, or one picture several times.

Two rules, each reported hash by hash. A perceptual hash is *too common* if a device that holds one of the reference
pictures would match it, with some probes more than devices make. And of two hashes that one picture's probes could both
hold, the one that fewer sources name gives way (specification, section 14.4).
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tpsi import ItemHash
from tpsi.parameters import MAX_PROBES
from tpsi.pictures import (
    PERCEPTUAL,
    PerceptualHasher,
    Picture,
    PictureError,
    dropped,
    hasher,
    neighbours,
    probes,
    reach,
    scan,
)
from tpsi.pictures.errors import printable
from tpsi.pictures.references import references
from tpsi.table import PackedItems, Progress
from tpsi_server.errors import OperatorError
from tpsi_server.lists import MergedList

#: Probes of a reference picture that are looked up, for each that a device makes.
MARGIN = 4
#: Reference pictures of each kind that the program draws.
PER_KIND = 16
#: Types whose digests are of a file's octets: a device has one probe of them.
_OF_FILES = frozenset(("md5", "sha1", "sha256", "sha512"))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A hash that was left out, and why: the reference picture that it matches, or the listed hash it is near to."""

    item: ItemHash
    reference: str = ""
    neighbour: ItemHash | None = None


@dataclass(frozen=True, slots=True)
class Screening:
    """What was looked at and left out.

    `depth`: probes of every reference picture; `references`: how many there were; `within`: two hashes of a type that
    differ in as many bits, or fewer, do not stand beside each other.
    """

    depth: int
    references: int
    within: int
    common: tuple[Dropped, ...] = ()
    near: tuple[Dropped, ...] = ()

    def lines(self, most: int = 10) -> Iterator[str]:
        """The report for people."""
        if self.references:
            yield (
                f"{len(self.common)} hashes match one of {self.references} reference pictures (at {self.depth} probes) "
                "and were left out"
            )
            yield from (f"  {one.item} matches {one.reference}" for one in self.common[:most])
        if self.within:
            yield f"{len(self.near)} hashes lie within {self.within} bits of another and were left out"
            yield from (f"  {one.item} gives way to {one.neighbour}" for one in self.near[:most])

    def to_dict(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "depth": self.depth,
            "references": self.references,
            "within": self.within,
            "too_common": [{"hash": str(one.item), "reference": one.reference} for one in self.common],
            "too_near": [{"hash": str(one.item), "kept": str(one.neighbour)} for one in self.near],
        }


def screen(
    merged: MergedList,
    always: Iterable[ItemHash],
    count: int,
    innocent: Path | None,
    progress: Progress,
) -> tuple[PackedItems, Screening]:
    """The items to build a table of, for devices that make `count` probes, and what was left out.

    `always` are on the list in any case; `innocent`: a folder of pictures that must not match. Raises OperatorError for
    several probes and a type of hash of which it is not known how near to each other a picture's probes are, or
    if the folder holds no picture; CallerError if a source has flooded the list with variants.
    """
    kept = frozenset(always)
    items = merged.encodings.with_items(kept)
    labels = [label for label, _, _ in items.blocks()]
    unknown = sorted(set(labels) - PERCEPTUAL - _OF_FILES)
    if count > 1 and unknown:
        raise OperatorError(
            f"with several probes no picture may match two hashes, which can't be told for {', '.join(unknown)}: "
            "build with --probes 1, or without the sources of these hashes"
        )
    depth = min(MAX_PROBES, MARGIN * count)
    corpus = _Corpus(tuple(sorted(PERCEPTUAL.intersection(labels))), depth, innocent)
    looked_at, common = _common(items, kept, corpus, progress)
    items = items.without(_places(items, (one.item for one in common)))
    near: tuple[Dropped, ...] = ()
    if count > 1:
        progress("comparing", 0, 1)
        near = tuple(_near(items, merged, kept, reach(count)))
        items = items.without(_places(items, (one.item for one in near)))
    if not len(items):
        raise OperatorError("screening left nothing of the list: all of its hashes match reference pictures")
    return items, Screening(depth, looked_at, reach(count), common, near)


def _places(items: PackedItems, gone: Iterable[ItemHash]) -> list[int]:
    found = [items.find(item.encode()) for item in gone]
    return [place for place in found if place is not None]


def _common(
    items: PackedItems,
    kept: frozenset[ItemHash],
    corpus: "_Corpus",
    progress: Progress,
) -> tuple[int, tuple[Dropped, ...]]:
    """How many pictures were looked at, and the hashes that they match."""
    if not corpus.labels:
        return 0, ()
    found: dict[ItemHash, str] = {}
    looked_at = 0
    for name, variants in _variants(corpus, progress):
        looked_at += 1
        for item in variants:
            if item not in found and item not in kept and item.encode() in items:
                found[item] = name
    return looked_at, tuple(Dropped(item, reference=name) for item, name in sorted(found.items()))


@dataclass(frozen=True, slots=True)
class _Corpus:
    """The reference pictures: those that the program draws, and the operator's own, at a depth of probes."""

    labels: tuple[str, ...]
    depth: int
    innocent: Path | None


def _variants(corpus: _Corpus, progress: Progress) -> Iterator[tuple[str, list[ItemHash]]]:
    """Name and probes of every reference picture."""
    progress("screening", 0, 1)
    yield from _drawn(corpus.labels, corpus.depth)
    if corpus.innocent is None:
        return
    paths = list(scan(corpus.innocent))
    if not paths:
        raise OperatorError(f"{corpus.innocent} holds no pictures: --innocent wants a folder of them")
    for number, path in enumerate(paths):
        progress("screening", number, len(paths))
        with suppress(PictureError):
            picture = Picture.read(path)
            yield (
                printable(path.name),
                [item for label in corpus.labels for item in _of_picture(picture, label, corpus.depth)],
            )


def _of_picture(picture: Picture, label: str, depth: int) -> Iterator[ItemHash]:
    for mirrored in (False, True):
        with suppress(PictureError):  # no device seals it either
            yield from hasher(label).probes(picture, depth, mirrored=mirrored)


@cache
def _drawn(labels: tuple[str, ...], depth: int) -> tuple[tuple[str, list[ItemHash]], ...]:
    """Name and probes of every picture that the program draws, whether or not a device would seal it."""
    hashers = [chosen for chosen in map(hasher, labels) if isinstance(chosen, PerceptualHasher)]
    return tuple(
        (name, [ItemHash(one.type, digest) for one in hashers for digest in probes(one.transform(image), depth)])
        for name, image in references(PER_KIND)
    )


def _near(items: PackedItems, merged: MergedList, kept: frozenset[ItemHash], within: int) -> Iterator[Dropped]:
    """The hashes that give way: to those that are on the list in any case, or that more sources name."""
    counts = merged.counts()
    for label, _, digests in items.blocks():
        if label not in PERCEPTUAL:
            continue
        pairs = neighbours(digests, within)
        involved = np.unique(pairs).tolist()
        named = {place: _named(merged, counts, kept, ItemHash(label, digests[place].tobytes())) for place in involved}
        order = sorted(involved, key=lambda place: (-named[place], place))
        for place, stronger in sorted(dropped(pairs, order).items()):
            one, other = (ItemHash(label, digests[at].tobytes()) for at in (place, stronger))
            yield Dropped(one, neighbour=other)


def _named(merged: MergedList, counts: NDArray[np.int64], kept: frozenset[ItemHash], item: ItemHash) -> int:
    if item in kept:
        return len(merged.sources) + 1
    place = merged.encodings.find(item.encode())
    return 0 if place is None else int(counts[place])
