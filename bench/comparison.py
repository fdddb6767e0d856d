"""Our steps beside the peer's that do the like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure import Cost, find
from bench.peer import NAME
from bench.settings import TABLES
from bench.spread import Spread, ratios
from tpsi.table import geometry


@dataclass(frozen=True, slots=True)
class Compared:
    """One step of ours, in seconds, and of the peer's. `ratio` is peer ÷ ours, so that above 1 ours is the faster."""

    step: str
    suite: str
    table: str
    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratio(self) -> Spread:
        """The spread of the rounds' ratios."""
        return Spread.of(ratios(self.peer, self.ours))


def compare(costs: Sequence[Cost], suites: Sequence[str], tables: Sequence[str]) -> Iterator[Compared]:
    """Three rows for every suite and table that was measured, with the peer beside it."""
    for suite in suites:
        for table in (table for table in TABLES if table in tables):
            build = find(costs, "blind and encode", suite=suite, table=table)
            device = find(costs, "seal", suite=suite, table=table, associated_bytes=0)
            match = find(costs, "match", suite=suite, table=table)
            slots = geometry(table, 0).candidates
            slot = tuple(seconds / slots for seconds in match.seconds)
            yield Compared("blind and encode one listed hash", suite, table, build.seconds, build.beside[NAME])
            yield Compared("device's work for one item", suite, table, device.seconds, device.beside[NAME])
            yield Compared("match one voucher slot", suite, table, slot, match.beside[NAME])
