"""What the project wants to reach, and whether this run did: one row for each aim, the peer beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.comparison import STEPS
from bench.peer import NAME
from bench.run import Results
from bench.spread import MICRO, Spread
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.table import FuseGeometry

_GIB, _MIB = 2**30, 2**20
#: Microseconds an item on one core: to be reached, to be aimed for.
REACH = {"blind and encode": (40.0, 20.0), "seal": (110.0, 60.0), "match": (35.0, 16.0)}


@dataclass(frozen=True, slots=True)
class Goal:
    """`ours` in `unit`; what is to be reached, at most (`most`) or at least; what to aim for. None: no such figure."""

    what: str
    unit: str
    ours: Spread
    reach: float
    most: bool = True
    aim: float | None = None
    beside: str | None = None
    peer: float | None = None
    ratio: float | None = None

    def meets(self, bound: float | None) -> bool | None:
        """Whether the median is within a bound."""
        if bound is None:
            return None
        return self.ours.median <= bound if self.most else self.ours.median >= bound


def goals(results: Results) -> list[Goal]:
    """All that this run measured, with the fuse table on ristretto255 and the backend that is used by default."""
    return [*_steps(results), *_table(results), *_cores(results), *_growth(results), *_uploads(results)]


def _steps(results: Results) -> Iterator[Goal]:
    backend = _default_backend(results)
    for operation, (reach, aim) in REACH.items():
        for row in results.compared:
            if (row.step, row.suite, row.table) == (STEPS[operation], RISTRETTO255_SHA512, FuseGeometry.encoding):
                if row.backend != backend:
                    continue
                ours, peer = (Spread.of(seconds).scaled(MICRO) for seconds in (row.ours, row.peer))
                yield Goal(f"{row.step}, {backend}", "µs", ours, reach, True, aim, NAME, peer.median, row.ratio.median)


def _table(results: Results) -> Iterator[Goal]:
    for size in results.tables:
        if (size.suite, size.table, size.hashes) == (RISTRETTO255_SHA512, FuseGeometry.encoding, 10**6):
            raw = results.peer.bytes_per_hash
            ratio = raw and raw / size.per_hash
            yield Goal("table at a million", "octets a hash", _one(size.per_hash), 36.5, True, None, NAME, raw, ratio)
            return


def _cores(results: Results) -> Iterator[Goal]:
    backend = _default_backend(results)
    for scaling in results.scaling:
        ours = (scaling.suite, scaling.table or FuseGeometry.encoding, scaling.backend)
        if ours == (RISTRETTO255_SHA512, FuseGeometry.encoding, backend):
            yield Goal(f"two cores against one: {scaling.operation}", "×", scaling.factor, 1.8, False)


def _growth(results: Results) -> Iterator[Goal]:
    for grown in results.grown[-1:]:
        of = f"{grown.hashes:,} hashes"
        yield Goal(f"memory to build a table of {of}", "GiB", _one(grown.built.peak / _GIB), 4.0)
        if grown.seal_peak is not None:
            yield Goal(f"memory to seal from a table of {of}", "MiB", _one(grown.seal_peak / _MIB), 150.0)


def _uploads(results: Results) -> Iterator[Goal]:
    smallest = min((u.octets for u in results.uploads), default=0)
    for upload in results.uploads:
        if (upload.suite, upload.table) == (RISTRETTO255_SHA512, FuseGeometry.encoding) and upload.octets == smallest:
            store, ratio = upload.store_rate.median, upload.ratio.median
            what = "vouchers over gRPC, acknowledged when durable"
            yield Goal(what, "a second", upload.rate, 10_000.0, False, None, "the store alone", store, ratio)


def _default_backend(results: Results) -> str | None:
    """That of the first cost: the one that is used where it is installed."""
    names: Sequence[str | None] = [cost.subject.backend for cost in results.costs if cost.subject.suite]
    return names[0] if names else None


def _one(value: float) -> Spread:
    return Spread(value, value, value)
