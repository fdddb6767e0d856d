"""The whole measurement, on all processors."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain

from recall.corpus import Sample
from recall.measure import DEEPEST, USUAL, Measured, measure, measure_alone
from recall.summary import MARGIN, Summary, summarise
from tpsi.pictures import PerceptualHasher, hasher, probes
from tpsi.pictures.references import references

#: Bits of the hashes that are measured.
BITS = {"dct64": 64, "dct80": 80, "dct100": 100, "dct128": 128, "pdq": 256, "phash": 64}
#: Degenerate pictures of each kind: those that are measured, and those that screening knows of.
HARD_PER_KIND, KNOWN_PER_KIND = 40, 16
#: The series of the degenerate pictures that are measured; screening's own are of another.
_SERIES = 1

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured: how many pictures, cut from how many; how many degenerate ones; a summary for each type."""

    pictures: int
    origins: int
    hard: int
    summaries: tuple[Summary, ...]


def run(samples: Sequence[Sample], types: Sequence[str], hard_per_kind: int, processes: int, told: Told) -> Results:
    """Measure. `told` hears how many of how many pictures are done."""
    drawn = [Sample(name, name, image) for name, image in references(hard_per_kind, series=_SERIES)]
    total = len(samples) + len(drawn)
    rows: list[list[Measured]] = []
    with ProcessPoolExecutor(processes) as pool:
        changed = pool.map(partial(measure, types=types), samples)
        plain = pool.map(partial(measure_alone, types=types), drawn, chunksize=8)
        for row in chain(changed, plain):
            rows.append(row)
            told(len(rows), total)
    own, hard = rows[: len(samples)], rows[len(samples) :]
    known = _known(types)
    summaries = [
        summarise([row[at] for row in own], [row[at] for row in hard], known[label], BITS[label])
        for at, label in enumerate(types)
    ]
    return Results(len(samples), len({sample.origin for sample in samples}), len(drawn), tuple(summaries))


def _known(types: Sequence[str]) -> dict[str, set[bytes]]:
    """The hashes that screening leaves out for its own reference pictures, for devices that make the usual probes."""
    known: dict[str, set[bytes]] = {label: set() for label in types}
    for _, image in references(KNOWN_PER_KIND):
        for label in types:
            chosen = hasher(label)
            if isinstance(chosen, PerceptualHasher):
                known[label].update(probes(chosen.transform(image), min(DEEPEST, MARGIN * USUAL)))
    return known
