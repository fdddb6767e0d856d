"""A plan as tables for people."""

from collections.abc import Iterator
from math import floor

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tpsi.plan import Finding, Plan, Probability
from tpsi.plan.outcome import Rate

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def show(plan: Plan, console: Console) -> None:
    """Print all of a plan: what it says first, then the numbers."""
    console.print(Group(*_parts(plan)))


def chance(probability: Probability) -> str:
    """A chance with three digits, also below the smallest double."""
    if probability.log10 == float("-inf"):
        return "0"
    if probability.log10 > -4:
        return f"{probability.value:.4g}"
    whole = floor(probability.log10)
    digits = f"{10 ** (probability.log10 - whole):.2f}"
    return f"{digits}e{whole}" if digits != "10.00" else f"1.00e{whole + 1}"


def octets(number: float) -> str:
    """A size with three digits, in powers of a thousand."""
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{number:.3g} {unit}" if number < 1000 else f"{number:,.0f} {unit}"


def duration(seconds: float) -> str:
    """A time with two or three digits."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.2g} ms"


def _parts(plan: Plan) -> Iterator[RenderableType]:
    yield _verdict(plan)
    yield from (_finding(finding) for finding in plan.findings)
    yield _rates(plan)
    if plan.threshold is None:
        return
    yield _steps(plan)
    yield _doubts(plan)
    yield _seen(plan)
    if plan.revealed:
        yield _revealed(plan)
    if plan.costs:
        yield _costs(plan)


def _verdict(plan: Plan) -> Text:
    if plan.threshold is None:
        return Text(f"No threshold gives {plan.wished:.3g} an account and year.", style="bold red")
    words = "meets" if plan.meets else "does not meet"
    chosen = next(step for step in plan.steps if step.threshold == plan.threshold)
    style = "bold green" if plan.meets else "bold red"
    text = f"A threshold of {plan.threshold} {words} the wish: {chance(chosen.planned)} an account and year"
    if plan.accounts:
        text += f"; of {plan.accounts:,} accounts {plan.accounts_expected:.3g} are expected to be opened wrongly"
    return Text(f"{text} (wished: {plan.wished:.3g}).", style=style)


def _finding(finding: Finding) -> RenderableType:
    word, style = ("warning", "bold yellow") if finding.warning else ("note", "bold")
    return Padding(Text.assemble((f"{word}: ", style), finding.text), (0, 0, 0, 2))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="", padding=(0, 1))
    for name in columns:
        table.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left")
    return table


def _rates(plan: Plan) -> Table:
    columns = ["hash", "#listed", "rate for", "#measured", "#interval", "#planned with", "#chance of a picture"]
    table = _table(f"\nFalse matches ({plan.expected:.3g} of {plan.pictures:,} pictures a year)", *columns)
    for rate in plan.rates:
        unit = "picture" if rate.per_picture else "pair"
        listed = "" if rate.per_picture else f"{rate.listed:,}"
        table.add_row(rate.hash, listed, unit, *_measured(rate), f"{rate.planned:.3g}", chance(rate.picture))
    return table


def _measured(rate: Rate) -> tuple[str, str]:
    if not rate.measured or rate.lower is None or rate.upper is None or rate.confidence is None:
        return "assumed", ""
    return f"{rate.false_matches:,} of {rate.pairs:,}", f"{rate.lower:.2g} – {rate.upper:.2g} ({rate.confidence:.0%})"


def _steps(plan: Plan) -> RenderableType:
    table = _table("\nFalse-account probability a year", "#threshold", "#planned", "#by the estimate alone", "")
    for step in plan.steps:
        mark = "◂" if step.threshold == plan.threshold else ""
        table.add_row(str(step.threshold), chance(step.planned), chance(step.estimated), mark)
    if plan.largest_library is not None:
        text = f"A threshold of {plan.threshold} meets the wish up to {plan.largest_library:,} pictures a year."
        return Group(table, text)
    return table


def _doubts(plan: Plan) -> Table:
    table = _table("\nIf the rates are higher", "#times", f"#chance with {plan.threshold}", "#threshold needed")
    for doubt in plan.doubts:
        needed = "none up to 1000" if doubt.needed is None else str(doubt.needed)
        table.add_row(str(doubt.factor), chance(doubt.chance) if doubt.chance else "", needed)
    return table


def _seen(plan: Plan) -> Table:
    title = f"\nWhat the server sees below the threshold, of {plan.vouchers:,} vouchers"
    table = _table(title, "#matches", "#opened, mean", "#90 % between", "#best test's advantage")
    for seen in plan.seen:
        table.add_row(str(seen.matches), f"{seen.mean:,.1f}", f"{seen.low:,} – {seen.high:,}", chance(seen.advantage))
    return table


def _revealed(plan: Plan) -> RenderableType:
    table = _table("\nThe chance to reveal", "#listed pictures", "#chance")
    for one in plan.revealed:
        table.add_row(f"{one.listed:,}", chance(one.chance))
    levels = (f"{float(level):.0%} from {'–' if k is None else format(k, ',')}" for level, k in plan.levels.items())
    return Group(table, f"Revealed with a chance of {', '.join(levels)} listed pictures.")


def _costs(plan: Plan) -> RenderableType:
    costs = plan.costs
    assert costs is not None  # noqa: S101 (the caller has looked)
    table = _table("\nA device's costs", "what", "#one voucher", "#a year")
    table.add_row("octets sent", octets(costs.voucher), octets(costs.uploaded))
    if costs.seconds is not None:
        table.add_row("time of one core", duration(costs.seconds / costs.vouchers), duration(costs.seconds))
    table.add_row("slots", str(costs.slots), f"{costs.slots * costs.vouchers:,.0f}")
    if sum(rate.listed for rate in plan.rates) <= 1:
        return table  # nobody has said how long the list is
    return Group(table, f"The table of the list is {octets(costs.table)}, once an epoch.")
