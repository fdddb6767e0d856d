"""From measured pictures to rates: recall, false matches with their bounds, entropy, time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from recall.measure import Measured
from recall.transformations import BENIGN, CROPS
from tpsi.plan import Measurement

#: Numbers of probes that are told apart.
COUNTS = (1, 4, 16, 64, 256)
#: Probes that screening looks up for each that a device makes.
MARGIN = 4
_SHOWN_PAIRS = 50


@dataclass(frozen=True, slots=True)
class FalseMatches:
    """Pairs of a picture on a device and another one's listed hash that match, by number of probes.

    `examples`: names of the listed picture and the one on the device, and the place of the probe.
    """

    pictures: int
    pairs: int
    matches: Mapping[int, int]
    examples: tuple[tuple[str, str, int], ...]

    def measurement(self, label: str, count: int) -> Measurement:
        """As the planner reads it."""
        return Measurement(label, count, self.pairs, self.matches[count])


@dataclass(frozen=True, slots=True)
class Summary:
    """One hash type: `recall` by change and number of probes, as (found, cases); false matches among the pictures,
    among degenerate ones, and among these after screening; degrees of freedom of its distances; median seconds."""

    type: str
    hashed: int
    refused: int
    recall: Mapping[str, Mapping[int, tuple[int, int]]]
    innocent: FalseMatches
    degenerate: FalseMatches
    screened: FalseMatches
    entropy: float
    seconds: float

    def mean(self, count: int, *, crops: bool = True) -> float:
        """Mean recall over the benign changes."""
        chosen = [name for name in BENIGN if crops or name not in CROPS]
        parts = [self.recall[name][count] for name in chosen]
        return sum(found for found, _ in parts) / max(1, sum(cases for _, cases in parts))


def summarise(
    measured: Sequence[Measured], hard: Sequence[Measured], references: Iterable[bytes], bits: int
) -> Summary:
    """Sum up one type. `hard`: degenerate pictures; `references`: what screening knows of, as probes."""
    usable = [one for one in measured if one.probes]
    known = frozenset(references)
    plain = [one for one in hard if one.probes]
    left = [one for one in plain if one.probes[0] not in known]
    return Summary(
        measured[0].type,
        len(usable),
        len(measured) - len(usable),
        _recall(usable),
        false_matches(usable, usable),
        false_matches(plain, plain),
        false_matches(left, plain),
        _entropy([one.probes[0] for one in usable], bits),
        median(one.seconds for one in usable) if usable else 0.0,
    )


def false_matches(listed: Sequence[Measured], held: Sequence[Measured]) -> FalseMatches:
    """Pictures whose probes hold another picture's hash; pairs that were cut from one picture do not count.

    All pictures have a hash: what the gate refuses is neither listed nor sealed.
    """
    by_digest: dict[bytes, list[Measured]] = {}
    origins: dict[str, int] = {}
    for one in listed:
        origins[one.origin] = origins.get(one.origin, 0) + 1
        by_digest.setdefault(one.probes[0], []).append(one)
    places = dict.fromkeys(COUNTS, 0)
    examples: list[tuple[str, str, int]] = []
    for holder in held:
        for place, probe in enumerate(holder.probes):
            for other in by_digest.get(probe, ()):
                if other.origin == holder.origin:
                    continue
                examples.append((other.name, holder.name, place))
                for count in COUNTS:
                    places[count] += place < count
    pairs = sum(len(listed) - origins.get(holder.origin, 0) for holder in held)
    return FalseMatches(len(held), max(1, pairs), places, tuple(examples[:_SHOWN_PAIRS]))


def _recall(usable: Sequence[Measured]) -> dict[str, dict[int, tuple[int, int]]]:
    names = usable[0].found if usable else BENIGN
    return {
        name: {count: (sum(_within(one.found[name], count) for one in usable), len(usable)) for count in COUNTS}
        for name in names
    }


def _within(place: int | None, count: int) -> bool:
    return place is not None and place < count


def _entropy(digests: Sequence[bytes], bits: int) -> float:
    """Degrees of freedom of the distances between hashes: as many fair coins would scatter them alike."""
    rows = np.array([np.frombuffer(digest, np.uint8) for digest in digests])
    if len(rows) < 3:
        return 0.0
    upper = np.triu_indices(len(rows), 1)
    parts = np.bitwise_count(rows[upper[0]] ^ rows[upper[1]]).sum(axis=1) / bits
    return float(parts.mean() * (1 - parts.mean()) / max(float(parts.var()), 1e-9))
