"""The results as tables in a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from bench.document import MICRO, multiplications
from bench.large import Large
from bench.machine import Machine
from bench.peer import NAME
from bench.run import Results
from bench.spread import Spread
from bench.uploads import Upload


def show(results: Results, console: Console) -> None:
    """Print all tables."""
    for part in _parts(results):
        console.print(part)


def _parts(results: Results) -> Iterator[RenderableType]:
    yield _head(results)
    suites = list(dict.fromkeys(size.suite for size in results.tables))
    for suite in suites:
        yield _costs(results, suite)
    yield _reveals(results)
    yield _tables(results)
    yield _vouchers(results)
    if results.uploads:
        yield _uploads(results.uploads)
    if results.large is not None:
        yield _large(results.large)
    if results.peer.missing is not None:
        yield f"\n[bold red]{NAME} was not measured:[/] {escape(results.peer.missing)}"
        return
    yield from _comparison(results, suites)


def _head(results: Results) -> str:
    machine: Machine = results.machine
    memory = f", {machine.memory / 2**30:.0f} GiB" if machine.memory else ""
    load = f", load {machine.load:.1f} at the start" if machine.load is not None else ""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    changed = " with changes" if machine.changed else ""
    return escape(
        f"{machine.processor}, {machine.cores} cores{memory}{load}, {machine.system}\n"
        f"{machine.python}; {versions}\n"
        f"commit {machine.commit}{changed}, {machine.date}\n"
        f"{results.setting.name} setting; median and quartiles of {results.setting.repeats} rounds"
    )


def grid(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    """An empty table with columns of words and columns of figures."""
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold")
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _costs(results: Results, suite: str) -> Table:
    """Cost an item of every step in one suite, and the same in scalar multiplications."""
    costs = [cost for cost in results.costs if cost.subject.suite == suite]
    title = f"{short(suite)} by {costs[0].subject.backend}: processor time an item, on one core"
    table = grid(title, ("table", "operation"), ("µs", "quartiles", "scalar mult.", "items"))
    before = costs[0].subject.table
    for cost in costs:
        subject, scalar = cost.subject, multiplications(cost)
        if subject.table != before:
            table.add_section()
        before = subject.table
        times = f"{scalar.median:.2f}" if scalar else ""
        operation = subject.operation + _parameters(subject.parameters)
        table.add_row(subject.table or "", operation, *_micro(cost.spread), times, f"{cost.items:,}")
    return table


def _reveals(results: Results) -> Table:
    """What examining a pool costs."""
    table = grid("Reveal: processor time to examine a pool", ("opened vouchers",), ("ms", "quartiles", "µs a voucher"))
    for cost in results.costs:
        if cost.subject.operation == "reveal":
            given, spread = cost.subject.parameters, cost.spread.scaled(1e3)
            what = f"{given['opened']}, {given['real']} of them real, t = {given['threshold']}, u = {given['rows']}"
            each = f"{1e3 * spread.median / given['opened']:.1f}"
            table.add_row(what, f"{spread.median:.1f}", _quartiles(spread), each)
    return table


def _tables(results: Results) -> Table:
    table = grid("Table sizes", ("suite", "table"), ("hashes", "octets", "octets a hash", "from"))
    for size in results.tables:
        origin = "a table built" if size.built else "the formula"
        figures = (f"{size.hashes:,}", f"{size.octets:,}", f"{size.per_hash:.2f}", origin)
        table.add_row(short(size.suite), size.table, *figures)
    return table


def _vouchers(results: Results) -> Table:
    table = grid("Voucher sizes (P = 1, any t)", ("suite", "table"), ("u", "associated octets", "octets"))
    for size in results.vouchers:
        figures = (str(size.rows), f"{size.associated:,}", f"{size.octets:,}")
        table.add_row(short(size.suite), size.table, *figures)
    return table


def _uploads(uploads: Sequence[Upload]) -> Table:
    first = uploads[0]
    title = (
        "End to end: vouchers a second over gRPC and TLS, acknowledged when durable "
        f"({first.vouchers:,} in batches of {first.batch}; server and device on this machine)"
    )
    table = grid(title, ("suite", "table"), ("octets", "acknowledged", "quartiles", "matched", "store alone", "part"))
    for upload in uploads:
        rate = upload.rate
        table.add_row(
            short(upload.suite),
            upload.table,
            f"{upload.octets:,}",
            f"{rate.median:,.0f}",
            f"{rate.lower:,.0f} – {rate.upper:,.0f}",
            f"{upload.matched_rate.median:,.0f}",
            f"{upload.store_rate.median:,.0f}",
            f"{upload.ratio.median:.2f}",
        )
    return table


def _large(large: Large) -> Table:
    table = grid(f"A fuse table of {large.hashes:,} hashes on ristretto255", ("",), ("",))
    table.show_header = False
    table.add_row("octets a hash", f"{large.octets / large.hashes:.2f}")
    table.add_row(f"seconds to build it, blinding on {large.processes} cores", f"{large.build_seconds:.1f}")
    table.add_row("peak memory of the build", _mebibytes(large.build_peak))
    table.add_row("peak memory of its blinding processes, together", _mebibytes(large.build_workers_peak))
    table.add_row("peak memory of a device that has verified and mapped it", _mebibytes(large.seal_before_peak))
    table.add_row(f"peak memory after it has sealed {large.sealed:,} items", _mebibytes(large.seal_peak))
    table.add_row("µs of processor time to seal an item", f"{large.seal_seconds * MICRO:.1f}")
    return table


def _mebibytes(octets: int | None) -> str:
    return "unknown" if octets is None else f"{octets / 2**20:.0f} MiB"


def _comparison(results: Results, suites: Sequence[str]) -> Iterator[RenderableType]:
    peer = results.peer
    for suite in suites:
        title = f"{short(suite)} beside {NAME} {peer.version}: µs on one core, in the same rounds"
        table = grid(title, ("step", "table"), ("ours", "peer", "peer ÷ ours", "quartiles"))
        for row in results.compared:
            if row.suite == suite:
                ours, theirs = (Spread.of(seconds).scaled(MICRO).median for seconds in (row.ours, row.peer))
                figures = (f"{ours:.1f}", f"{theirs:.1f}", f"{row.ratio.median:.2f}", _quartiles(row.ratio, 2))
                table.add_row(row.step, row.table, *figures)
        yield table
    yield (
        f"The peer's list has {peer.listed:,} hashes and its device {peer.items:,} items; a device downloads "
        f"{peer.bytes_per_hash:.2f} octets a hash, in the setup message that has no false positives.\n"
        "It does plain intersection: no threshold, no associated data, and it is the device that learns the result."
    )


def short(suite: str) -> str:
    """A suite's name on the command line."""
    return suite.split("-")[1].lower()


def _parameters(given: Mapping[str, int]) -> str:
    names = {"listed": " a list of {:,}", "associated_bytes": " with {:,} associated octets"}
    return "".join(text.format(given[name]) for name, text in names.items() if given.get(name))


def _micro(spread: Spread) -> tuple[str, str]:
    in_micro = spread.scaled(MICRO)
    return f"{in_micro.median:.1f}", _quartiles(in_micro)


def _quartiles(spread: Spread, digits: int = 1) -> str:
    return f"{spread.lower:.{digits}f} – {spread.upper:.{digits}f}"
