"""The results as tables of text, to be shown in a terminal or written into a document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.goals import goals
from bench.growth import Grown
from bench.measure import Cost
from bench.outside import outside
from bench.run import Results
from bench.spread import MICRO, Spread
from bench.steps import multiplications
from bench.uploads import Upload


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with columns of words and columns of figures. `notes` are sentences below it."""

    title: str
    left: Sequence[str]
    right: Sequence[str]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """One more row."""
        self.rows.append(cells)


def grids(results: Results) -> Iterator[Grid]:
    """All tables that the results give, the most wanted first."""
    yield _goals(results)
    groups = dict.fromkeys((cost.subject.suite, cost.subject.backend) for cost in results.costs if cost.subject.suite)
    for suite, backend in groups:
        yield _costs(results, suite or "", backend)
    if any(outside(results.costs)):
        yield _outside(results.costs)
    if results.compared:
        yield _comparison(results)
    if results.scaling:
        yield _scaling(results)
    yield _reveals(results.costs)
    yield _tables(results)
    yield _vouchers(results)
    if results.grown:
        yield _growth(results.grown)
    if results.uploads:
        yield _uploads(results.uploads)


def head(results: Results) -> list[str]:
    """What the run was made on and with, in lines."""
    machine = results.machine
    memory = f", {machine.memory / 2**30:.0f} GiB" if machine.memory else ""
    load = f", load {machine.load:.1f} at the start" if machine.load is not None else ""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    changed = " with changes" if machine.changed else ""
    return [
        f"{machine.processor}, {machine.cores} cores{memory}{load}, {machine.system}",
        f"{machine.python}; {versions}",
        f"native core: {machine.native}; commit {machine.commit}{changed}, {machine.date}",
        f"{results.setting.name} setting; median and quartiles of {results.setting.repeats} rounds",
    ]


def short(suite: str) -> str:
    """A suite's name on the command line."""
    return suite.split("-")[1].lower()


def _goals(results: Results) -> Grid:
    """One row for each aim of the project."""
    columns = ("ours", "quartiles", "ratio", "reach", "met", "aim", "met")
    grid = Grid("Aims (fuse table, ristretto255, the backend used by default)", ("figure", "unit", "beside"), columns)
    for goal in goals(results):
        beside = "" if goal.peer is None else f"{goal.beside}: {goal.peer:,.1f}"
        bound = "≤ " if goal.most else "≥ "
        grid.add(
            goal.what,
            goal.unit,
            beside,
            f"{goal.ours.median:,.2f}",
            _quartiles(goal.ours, 2) if goal.ours.range else "",
            "" if goal.ratio is None else f"{goal.ratio:.2f}",
            bound + f"{goal.reach:,g}",
            _met(goal.meets(goal.reach)),
            "" if goal.aim is None else bound + f"{goal.aim:,g}",
            _met(goal.meets(goal.aim)),
        )
    grid.notes.append("Ratios are what stands beside ÷ ours for times and sizes, ours ÷ what stands beside for rates.")
    return grid


def _met(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "no"


def _costs(results: Results, suite: str, backend: str | None) -> Grid:
    """Cost an item of every step in one suite, and the same in scalar multiplications."""
    title = f"{short(suite)} by {backend}: processor time an item, on one core"
    grid = Grid(title, ("table", "operation"), ("µs", "quartiles", "scalar mult.", "items"))
    for cost in results.costs:
        subject, scalar = cost.subject, multiplications(cost)
        if (subject.suite, subject.backend) == (suite, backend):
            times = f"{scalar.median:.2f}" if scalar else ""
            operation = subject.operation + _parameters(subject.parameters)
            grid.add(subject.table or "", operation, *_micro(cost.spread), times, f"{cost.items:,}")
    return grid


def _outside(costs: Sequence[Cost]) -> Grid:
    """What sealing and matching cost besides products of elements."""
    grid = Grid(
        "Outside of the group: µs of processor time an item",
        ("step", "suite", "table", "backend"),
        ("whole", "outside", "quartiles"),
    )
    for one in outside(costs):
        subject = one.subject
        words = subject.operation, short(subject.suite or ""), subject.table or "", subject.backend or ""
        grid.add(*words, _micro(one.whole)[0], *_micro(one.rest))
    grid.notes.append(
        "The whole without its products, measured in the same rounds: hashes, keys, ciphertexts, shares, Python."
    )
    return grid


def _comparison(results: Results) -> Grid:
    peer = results.peer
    title = f"Beside openmined-psi {peer.version}: µs on one core, in the same rounds"
    grid = Grid(title, ("step", "suite", "table", "backend"), ("ours", "peer", "peer ÷ ours", "quartiles"))
    for row in results.compared:
        ours, theirs = (Spread.of(seconds).scaled(MICRO).median for seconds in (row.ours, row.peer))
        figures = (f"{ours:.1f}", f"{theirs:.1f}", f"{row.ratio.median:.2f}", _quartiles(row.ratio, 2))
        grid.add(row.step, short(row.suite), row.table, row.backend, *figures)
    grid.notes.extend(
        [
            f"The peer's list has {peer.listed:,} hashes and its device {peer.items:,} items; a device downloads "
            f"{peer.bytes_per_hash:.2f} octets a hash, in the setup message that has no false positives.",
            "It does plain intersection, without threshold or associated data, and the device learns the result.",
        ]
    )
    return grid


def _scaling(results: Results) -> Grid:
    columns = ("one core", "two cores", "two ÷ one", "quartiles")
    grid = Grid("Two cores against one: items a second, in wall-clock time", ("step", "suite", "table", "by"), columns)
    for one in results.scaling:
        rates = (f"{Spread.of(rates).median:,.0f}" for rates in (one.one, one.two))
        figures = (f"{one.factor.median:.2f}", _quartiles(one.factor, 2))
        grid.add(one.operation, short(one.suite), one.table or "", one.backend or "", *rates, *figures)
    return grid


def _reveals(costs: Sequence[Cost]) -> Grid:
    """What examining a pool costs."""
    grid = Grid("Reveal: processor time to examine a pool", ("opened vouchers",), ("ms", "quartiles", "µs a voucher"))
    for cost in costs:
        if cost.subject.operation == "reveal":
            given, spread = cost.subject.parameters, cost.spread.scaled(1e3)
            what = f"{given['opened']:,}, {given['real']:,} of them real, t = {given['threshold']}, u = {given['rows']}"
            each = f"{1e3 * spread.median / given['opened']:.1f}"
            grid.add(what, f"{spread.median:.1f}", _quartiles(spread), each)
    grid.notes.append("A quarter of a large pool is tried first, and a sixteenth before: often that is enough.")
    return grid


def _tables(results: Results) -> Grid:
    grid = Grid("Table sizes", ("suite", "table"), ("hashes", "octets", "octets a hash", "from"))
    for size in results.tables:
        origin = "a table built" if size.built else "the formula"
        figures = (f"{size.hashes:,}", f"{size.octets:,}", f"{size.per_hash:.2f}", origin)
        grid.add(short(size.suite), size.table, *figures)
    return grid


def _vouchers(results: Results) -> Grid:
    grid = Grid("Voucher sizes (P = 1, any t)", ("suite", "table"), ("u", "associated octets", "octets"))
    for size in results.vouchers:
        grid.add(short(size.suite), size.table, str(size.rows), f"{size.associated:,}", f"{size.octets:,}")
    return grid


def _growth(grown: Sequence[Grown]) -> Grid:
    columns = (
        "octets a hash",
        "import s",
        "MiB",
        "build s",
        "MiB",
        "µs a hash",
        "seal µs",
        "MiB before",
        "MiB at most",
    )
    grid = Grid("Growth: a fuse table on ristretto255, by the server's own commands", ("hashes",), columns)
    for one in grown:
        grid.add(
            f"{one.hashes:,}",
            f"{one.octets / one.hashes:.2f}",
            f"{one.imported.seconds:.1f}",
            _mebibytes(one.imported.peak),
            f"{one.built.seconds:.1f}",
            _mebibytes(one.built.peak),
            f"{one.built.seconds / one.hashes * MICRO:.1f}",
            f"{one.seal_seconds * MICRO:.1f}",
            _mebibytes(one.seal_before_peak),
            _mebibytes(one.seal_peak),
        )
    grid.notes.extend(
        [
            "Seconds are of wall-clock time, with all cores; memory is what all processes of a command had resident "
            "together at most, pages that they share counted for each.",
            "Sealing is on one core, from the table's file.",
        ]
    )
    return grid


def _uploads(uploads: Sequence[Upload]) -> Grid:
    first = uploads[0]
    title = (
        "End to end: vouchers a second over gRPC and TLS, acknowledged when durable "
        f"({first.vouchers:,} in batches of {first.batch}; server and device on this machine)"
    )
    grid = Grid(
        title, ("suite", "table"), ("octets", "acknowledged", "quartiles", "matched", "store alone", "commits", "part")
    )
    for upload in uploads:
        rate = upload.rate
        grid.add(
            short(upload.suite),
            upload.table,
            f"{upload.octets:,}",
            f"{rate.median:,.0f}",
            f"{rate.lower:,.0f} – {rate.upper:,.0f}",
            f"{upload.matched_rate.median:,.0f}",
            f"{upload.store_rate.median:,.0f}",
            f"{upload.store_rate.median / upload.batch:,.0f}",
            f"{upload.ratio.median:.2f}",
        )
    grid.notes.append(
        "The store alone: the same vouchers into the same kind of store, one durable commit for each batch; commits: "
        "how many of these it makes a second; part: acknowledged ÷ store alone."
    )
    return grid


def _mebibytes(octets: int | None) -> str:
    return "unknown" if octets is None else f"{octets / 2**20:,.0f}"


def _parameters(given: Mapping[str, int]) -> str:
    names = {"listed": " a list of {:,}", "associated_bytes": " with {:,} associated octets"}
    return "".join(text.format(given[name]) for name, text in names.items() if given.get(name))


def _micro(spread: Spread) -> tuple[str, str]:
    in_micro = spread.scaled(MICRO)
    return f"{in_micro.median:.1f}", _quartiles(in_micro)


def _quartiles(spread: Spread, digits: int = 1) -> str:
    return f"{spread.lower:,.{digits}f} – {spread.upper:,.{digits}f}"
