"""A plan as pictures: SVG or PNG, drawn with matplotlib."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tpsi.errors import CallerError
from tpsi.parameters import Sharing
from tpsi.plan import Decision, Plan, Setting, View, chance_to_reveal, exceeds
from tpsi.plan.balls import log10
from tpsi.plan.planning import FACTORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("svg", "png")
_COLOURS = ("#0b5fa5", "#c2410c", "#7c3aed", "#15803d")
_STEPS = 60  # points of a curve


def draw(setting: Setting, plan: Plan, folder: Path, form: str) -> list[Path]:
    """Draw a plan's pictures into a folder; returns the files. CallerError without matplotlib, or a threshold."""
    if form not in FORMATS:
        raise CallerError(f"pictures are {' or '.join(FORMATS)}, not {form}")
    if plan.threshold is None:
        raise CallerError("there is nothing to draw: no threshold meets the wish")
    folder.mkdir(parents=True, exist_ok=True)
    drawings = (("threshold", _threshold), ("cover", _cover), ("reveal", _reveal))
    return [_save(folder / f"{name}.{form}", partial(one, setting=setting, plan=plan)) for name, one in drawings]


def _save(path: Path, drawing: Callable[["Axes"], None]) -> Path:
    pyplot = _pyplot()
    style = {"svg.hashsalt": "tpsi", "axes.spines.top": False, "axes.spines.right": False, "font.size": 10}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(figsize=(7.2, 4.2), layout="constrained")
        try:
            drawing(axes)
            axes.grid(color="#dddddd", linewidth=0.6)
            axes.set_axisbelow(True)
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=144, metadata=metadata)
        finally:
            pyplot.close(figure)
    return path


def _threshold(axes: "Axes", setting: Setting, plan: Plan) -> None:
    """False-account probability by threshold, as planned and with higher rates."""
    assert plan.threshold is not None  # noqa: S101
    last = max(2 * plan.threshold, plan.threshold + 10, *(doubt.needed or 0 for doubt in plan.doubts))
    places = sorted({max(1, round(last * k / _STEPS)) for k in range(_STEPS + 1)})
    for factor, colour in zip(FACTORS, _COLOURS, strict=False):
        library = setting.library().times(factor)
        values = [log10(exceeds(library, t)) for t in places]
        label = "as planned" if factor == 1 else f"rates {factor} times as high"
        axes.plot(places, values, color=colour, label=label)
    wished = math.log10(plan.wished)
    axes.axhline(wished, color="#555555", linestyle="--", linewidth=1, label=f"wished: {plan.wished:.3g}")
    axes.axvline(plan.threshold, color="#555555", linestyle=":", linewidth=1, label=f"threshold {plan.threshold}")
    axes.set_ylim(4 * wished, 1)
    axes.yaxis.set_major_formatter(_pyplot().FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))
    axes.set_xlabel("threshold")
    axes.set_ylabel("false-account probability a year")
    axes.set_title("How many matches an innocent account reaches", loc="left")
    axes.legend(frameon=False)


def _cover(axes: "Axes", setting: Setting, plan: Plan) -> None:
    """The number of opened vouchers without matches and with as many as the threshold."""
    assert plan.threshold is not None  # noqa: S101
    counts = sorted({0, min(5, plan.threshold), min(plan.threshold, setting.vouchers)})
    views = [View(setting.vouchers, count, setting.synthetic) for count in counts]
    first = min(view.quantile(1e-4) for view in views)
    last = max(view.quantile(1 - 1e-4) for view in views) + 1
    step = max(1, (last - first) // 400)
    for view, colour in zip(views, _COLOURS, strict=False):
        places = list(range(first, last + 1, step))
        values = [view.density(v, v)[0] for v in places]
        axes.plot(places, values, color=colour, label=f"{view.matches} matches")
        axes.fill_between(places, values, color=colour, alpha=0.12)
    axes.set_xlabel(f"opened vouchers, of {setting.vouchers:,}")
    axes.set_ylabel("probability")
    axes.set_ylim(bottom=0)
    axes.set_title("What the server sees below the threshold", loc="left")
    axes.legend(frameon=False)


def _reveal(axes: "Axes", setting: Setting, plan: Plan) -> None:
    """The chance to reveal by listed pictures on the device."""
    assert plan.threshold is not None  # noqa: S101
    decision = Decision(setting.vouchers, Sharing(plan.threshold, setting.rows), setting.synthetic, setting.recall)
    last = min(setting.vouchers, (plan.levels.get("0.99") or 2 * plan.threshold) + plan.threshold // 2 + 4)
    places = sorted(
        {round(last * k / _STEPS) for k in range(_STEPS + 1)} | {plan.threshold, plan.threshold + 1} & {*range(last)}
    )
    axes.plot(places, [chance_to_reveal(decision, k).value for k in places], color=_COLOURS[0])
    axes.axvline(plan.threshold, color="#555555", linestyle=":", linewidth=1)
    axes.annotate(f" threshold {plan.threshold}", (plan.threshold, 0.97), va="top")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("listed pictures on the device")
    axes.set_ylabel("chance")
    axes.set_title(f"The chance to reveal, recall {setting.recall:g}", loc="left")


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise CallerError("pictures need matplotlib: pip install 'tpsi[plan]'") from None
    mpl.use("agg")
    from matplotlib import pyplot

    return pyplot
