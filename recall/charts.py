"""The results as pictures: recall by change and by number of probes."""

from pathlib import Path
from typing import Any

from recall.errors import RecallError
from recall.run import Results
from recall.summary import COUNTS
from recall.transformations import BENIGN

_COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#edae49", "#8d5a97", "#555555")
_DPI = 110


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw both into a folder; returns the files. Raises RecallError without matplotlib."""
    pyplot = _pyplot()
    return [_by_probes(pyplot, results, folder), _by_change(pyplot, results, folder)]


def _by_probes(pyplot: Any, results: Results, folder: Path) -> Path:
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for summary, colour in zip(results.summaries, _COLOURS, strict=False):
        axes.plot(COUNTS, [summary.mean(count) for count in COUNTS], "o-", color=colour, label=summary.type)
    axes.set_xscale("log", base=2)
    axes.set_xticks(COUNTS, [str(count) for count in COUNTS])
    axes.set_ylim(0, 1)
    axes.set_xlabel("probes")
    axes.set_ylabel("mean recall over nineteen changes")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    return _save(pyplot, figure, folder / "recall-by-probes.png")


def _by_change(pyplot: Any, results: Results, folder: Path) -> Path:
    summary = results.summaries[0]
    names = list(BENIGN)[::-1]
    figure, axes = pyplot.subplots(figsize=(7, 6.5))
    height = 0.27
    for offset, (count, colour) in enumerate(zip((64, 16, 1), _COLOURS, strict=False)):
        places = [place + (offset - 1) * height for place in range(len(names))]
        shares = [summary.recall[name][count][0] / max(1, summary.recall[name][count][1]) for name in names]
        axes.barh(places, shares, height, color=colour, label=f"{count} probes" if count > 1 else "the hash alone")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"recall of {summary.type}")
    axes.grid(alpha=0.3, axis="x")
    figure.legend(frameon=False, loc="upper center", ncols=3, reverse=True)
    figure.tight_layout(rect=(0, 0, 1, 0.96))  # the legend stands above: bars are everywhere else
    return _save(pyplot, figure, folder / "recall-by-change.png")


def _save(pyplot: Any, figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    pyplot.close(figure)
    return path


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise RecallError("pictures need matplotlib: pip install 'tpsi[recall]'") from None
    mpl.use("agg")
    from matplotlib import pyplot

    return pyplot
