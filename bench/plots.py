"""Plots of the results, as SVG for documents and PNG for everything else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.comparison import STEPS, Compared
from bench.errors import BenchError
from bench.goals import REACH
from bench.grids import short
from bench.measure import Cost
from bench.peer import NAME
from bench.run import Results
from bench.spread import MICRO, Spread
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.table import FuseGeometry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY, _GREEN, _RED = "#2f6fb0", "#d9822b", "#8a8f98", "#3c8d5a", "#b03a3a"
_COLOURS = {"native": _BLUE, "libsodium": _ORANGE, "pycryptodome": _GREEN, NAME: _GREY}
_STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e5e8",
    "svg.hashsalt": "tpsi",  # the same figures make the same file
    "figure.dpi": 110,
}


@dataclass(frozen=True, slots=True)
class _Plot:
    file: str
    meaning: str
    wanted: Callable[[Results], bool]
    paint: Callable[[Results, "Figure"], None]
    size: tuple[float, float]


def draw(results: Results, folder: Path) -> dict[str, str]:
    """Draw what the results have figures for; gives the SVG files' names with their meanings.

    BenchError if matplotlib is missing or a file cannot be written.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise BenchError("plots need matplotlib: pip install -e '.[bench]'") from None
    drawn: dict[str, str] = {}
    with mpl.rc_context(_STYLE):
        for plot in _PLOTS:
            if not plot.wanted(results):
                continue
            figure = Figure(figsize=plot.size, layout="constrained")
            plot.paint(results, figure)
            try:
                figure.savefig(folder / f"{plot.file}.svg", metadata={"Date": None})
                figure.savefig(folder / f"{plot.file}.png")
            except OSError as error:
                raise BenchError(f"{folder / plot.file} cannot be written ({error.strerror})") from None
            drawn[f"{plot.file}.svg"] = plot.meaning
    return drawn


def _beside_the_peer(results: Results, figure: "Figure") -> None:
    """Bars for each step with the fuse table on ristretto255: the peer, and each backend."""
    rows = _mine(results.compared)
    backends = list(dict.fromkeys(row.backend for row in rows))
    axes: list[Axes] = list(figure.subplots(1, len(STEPS)))
    for one, (operation, step) in zip(axes, STEPS.items(), strict=True):
        found = [row for row in rows if row.step == step]
        spreads = {NAME: Spread.of(found[0].peer)} | {row.backend: Spread.of(row.ours) for row in found}
        _bars(one, [NAME, *backends], [spreads[name].scaled(MICRO) for name in [NAME, *backends]])
        reach, aim = REACH[operation]
        for bound, text in ((reach, "reach"), (aim, "aim")):
            one.axhline(bound, color=_RED, linewidth=1, linestyle="--" if text == "reach" else ":")
            one.text(len(backends) + 0.95, bound, f"{text} {bound:g}", color=_RED, ha="right", va="bottom", fontsize=8)
        one.set_title(step, fontsize=10)
    axes[0].set_ylabel("µs an item, one core")
    figure.suptitle("Fuse table, ristretto255, beside the peer in the same rounds (median, quartiles)", fontsize=11)


def _bars(axes: "Axes", names: Sequence[str], spreads: Sequence[Spread]) -> None:
    medians = [spread.median for spread in spreads]
    reach = [[s.median - s.lower for s in spreads], [s.upper - s.median for s in spreads]]
    colours = [_COLOURS.get(name, _BLUE) for name in names]
    axes.bar(range(len(names)), medians, 0.65, yerr=reach, color=colours, ecolor="#444444", capsize=3)
    for place, spread in enumerate(spreads):
        axes.text(place, spread.upper, f"{spread.median:.0f}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(range(len(names)), [name.replace("-", "-\n") for name in names], fontsize=9)
    axes.set_xlim(-0.6, len(names))
    axes.set_ylim(0, 1.12 * max(spread.upper for spread in spreads))
    axes.grid(False, axis="x")


def _tables_and_suites(results: Results, figure: "Figure") -> None:
    """Every step for both tables and both suites, in one logarithmic scale."""
    operations = ("blind and encode", "seal", "match")
    chosen = [cost for cost in results.costs if cost.subject.table and _plain(cost)]
    labels = list(dict.fromkeys(_label(cost) for cost in chosen))
    axes: Axes = figure.subplots()
    width = 0.8 / len(labels)
    for number, label in enumerate(labels):
        spreads = [_spread(chosen, operation, label) for operation in operations]
        at = [place + (number - (len(labels) - 1) / 2) * width for place in range(len(operations))]
        medians = [spread.median for spread in spreads]
        bars = axes.bar(at, medians, 0.9 * width, label=label, color=_shade(label))
        axes.bar_label(bars, [f"{median:,.0f}" for median in medians], fontsize=7, padding=1)
    axes.set_yscale("log")
    axes.set_xticks(range(len(operations)), ["blind and encode a hash", "seal an item", "match a voucher"])
    axes.set_ylabel("µs, one core")
    axes.grid(False, axis="x")
    axes.legend(fontsize=8, ncols=2, frameon=False)
    axes.set_ylim(top=8 * max(cost.spread.median for cost in chosen) * MICRO)
    axes.set_title("Fuse against cuckoo, ristretto255 against P-256", fontsize=11)


def _plain(cost: Cost) -> bool:
    return not cost.subject.parameters.get("associated_bytes")


def _label(cost: Cost) -> str:
    subject = cost.subject
    return f"{short(subject.suite or '')} ({subject.backend}), {subject.table}"


def _spread(costs: Sequence[Cost], operation: str, label: str) -> Spread:
    (found,) = [cost for cost in costs if cost.subject.operation == operation and _label(cost) == label]
    return found.spread.scaled(MICRO)


def _shade(label: str) -> str:
    strong = {"native": _BLUE, "libsodium": _ORANGE, "pycryptodome": _GREEN}
    light = {"native": "#9dc0e2", "libsodium": "#f0c596", "pycryptodome": "#a5d0b5"}
    backend = label.partition("(")[2].partition(")")[0]
    return (light if label.endswith("cuckoo") else strong).get(backend, _GREY)


def _growth(results: Results, figure: "Figure") -> None:
    """Time and memory over the size of the list."""
    hashes = [one.hashes for one in results.grown]
    left, right = figure.subplots(1, 2)
    left.loglog(hashes, [one.built.seconds for one in results.grown], "o-", color=_BLUE, label="build")
    left.loglog(hashes, [one.imported.seconds for one in results.grown], "s--", color=_ORANGE, label="import the list")
    left.set_ylabel("seconds, all cores")
    left.set_title("Time", fontsize=10)
    built = [one.built.peak / 2**20 for one in results.grown]
    sealed = [(one.hashes, one.seal_peak / 2**20) for one in results.grown if one.seal_peak is not None]
    right.loglog(hashes, built, "o-", color=_BLUE, label="build, all processes")
    if sealed:
        right.loglog(*zip(*sealed, strict=True), "^-", color=_GREEN, label="seal, a device")
    right.axhline(4096, color=_BLUE, linewidth=1, linestyle=":")
    right.axhline(150, color=_GREEN, linewidth=1, linestyle=":")
    right.set_ylabel("MiB resident at most")
    right.set_title("Memory (dotted: the bounds)", fontsize=10)
    for axes in (left, right):
        axes.set_xlabel("hashes in the list")
        axes.legend(fontsize=8, frameon=False)
    figure.suptitle("A growing list: fuse table, ristretto255", fontsize=11)


def _reveals(results: Results, figure: "Figure") -> None:
    """Time to examine a pool over its size."""
    found = sorted(
        (cost.subject.parameters["opened"], cost.spread.scaled(1e3)) for cost in results.costs if _of_the_series(cost)
    )
    axes: Axes = figure.subplots()
    counts, spreads = [count for count, _ in found], [spread for _, spread in found]
    medians = [spread.median for spread in spreads]
    reach = [[s.median - s.lower for s in spreads], [s.upper - s.median for s in spreads]]
    axes.errorbar(counts, medians, yerr=reach, fmt="o-", color=_BLUE, capsize=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for count, median in zip(counts, medians, strict=True):
        axes.annotate(f"{median:,.0f}", (count, median), (0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.set_xlabel("opened vouchers of an account (a tenth of them and 40 more real; t = 30, u = 16)")
    axes.set_ylabel("ms, one core")
    axes.set_title("Reveal", fontsize=11)


def _of_the_series(cost: Cost) -> bool:
    given = cost.subject.parameters
    return cost.subject.operation == "reveal" and given["real"] == 40 + given["opened"] // 10


def _mine(rows: Sequence[Compared]) -> list[Compared]:
    return [row for row in rows if (row.suite, row.table) == (RISTRETTO255_SHA512, FuseGeometry.encoding)]


_PLOTS = (
    _Plot("benchmark-peer", "Each step beside the peer", lambda r: bool(_mine(r.compared)), _beside_the_peer, (9, 3.6)),
    _Plot(
        "benchmark-tables",
        "Tables and suites",
        lambda r: any(c.subject.table for c in r.costs),
        _tables_and_suites,
        (9, 4),
    ),
    _Plot("benchmark-growth", "Growth of time and memory", lambda r: len(r.grown) > 1, _growth, (9, 3.6)),
    _Plot("benchmark-reveal", "Time of a reveal", lambda r: any(map(_of_the_series, r.costs)), _reveals, (7, 3.6)),
)
