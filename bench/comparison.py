"""Our steps beside the peer's that do the like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure import Cost
from bench.peer import NAME
from bench.spread import Spread, ratios
from tpsi.table import geometry

#: Our step, and what it is called beside the peer's.
STEPS = {
    "blind and encode": "blind and encode one listed hash",
    "seal": "device's work for one item",
    "match": "match one voucher slot",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One step of ours, in seconds, and of the peer's. `ratio` is peer ÷ ours, so that above 1 ours is the faster."""

    step: str
    suite: str
    table: str
    backend: str
    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratio(self) -> Spread:
        """The spread of the rounds' ratios."""
        return Spread.of(ratios(self.peer, self.ours))


def compare(costs: Sequence[Cost]) -> Iterator[Compared]:
    """A row for every cost that was measured with the peer beside it."""
    for cost in costs:
        subject = cost.subject
        if NAME not in cost.beside or not subject.suite or not subject.table:
            continue
        slots = geometry(subject.table, 0).candidates if subject.operation == "match" else 1
        ours = tuple(seconds / slots for seconds in cost.seconds)
        of = STEPS[subject.operation], subject.suite, subject.table, subject.backend or ""
        yield Compared(*of, ours, cost.beside[NAME])
