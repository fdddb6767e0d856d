"""Charts as inline SVG: how the vouchers that opened grew, day by day, beside the matches among them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 22, 14, 30
_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Series:
    """One account, from day 0 (nothing sent yet) on: what the server sees opened, and the distinct matches in it.

    `revealed_on` is the day on which the server was shown the matches, or None.
    """

    name: str
    opened: tuple[int, ...]
    matches: tuple[int, ...]
    revealed_on: int | None


@dataclass(frozen=True, slots=True)
class _Frame:
    days: int
    top: int

    def x(self, day: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * day / self.days, 1)

    def y(self, count: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * count / self.top, 1)

    def path(self, counts: Sequence[int], first: int = 0) -> str:
        points = (f"{self.x(first + number)},{self.y(count)}" for number, count in enumerate(counts))
        return "M" + " L".join(points)


def scale(series: Sequence[Series], threshold: int) -> tuple[int, int]:
    """The step between the lines of the vertical axis and its upper end, the same for all charts."""
    most = max(threshold, *(count for one in series for count in one.opened)) + 1
    step = next(step for step in _steps() if step * _MOST_LINES >= most)
    return step, step * -(-most // step)


def chart(series: Series, threshold: int, step: int, top: int) -> Markup:
    """One account's chart; the page's style sheet colours it by the classes given here."""
    frame = _Frame(len(series.opened) - 1, top)
    parts = [*_axes(frame, step), _area(frame, series.opened), *_threshold(frame, threshold), *_lines(frame, series)]
    description = Markup("{}: {} vouchers opened by the last day, {} of them matches; the threshold is {}.").format(
        series.name, series.opened[-1], series.matches[-1], threshold
    )
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, description, Markup("").join(parts)
    )


def _steps() -> Sequence[int]:
    return [base * 10**power for power in range(6) for base in (1, 2, 5)]


def _axes(frame: _Frame, step: int) -> list[Markup]:
    parts = []
    for count in range(0, frame.top + 1, step):
        y = frame.y(count)
        parts.append(Markup('<line class="grid-line" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            _LEFT, _WIDTH - _RIGHT, y, y
        ))  # fmt: skip
        parts.append(_text("axis", _LEFT - 6, y + 4, str(count), "end"))
    parts += [_text("axis", frame.x(day), _HEIGHT - 12, f"day {day}") for day in range(1, frame.days + 1)]
    return parts


def _area(frame: _Frame, opened: Sequence[int]) -> Markup:
    base = frame.y(0)
    return Markup('<path class="area" d="{} L{},{} L{},{} Z"/>').format(
        frame.path(opened), frame.x(frame.days), base, frame.x(0), base
    )


def _threshold(frame: _Frame, threshold: int) -> list[Markup]:
    y = frame.y(threshold)
    return [
        Markup('<line class="threshold" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, _WIDTH - _RIGHT, y, y),
        _text("threshold-label", _LEFT + 4, y - 5, f"threshold {threshold}", "start"),
    ]


def _lines(frame: _Frame, series: Series) -> list[Markup]:
    known = len(series.matches) if series.revealed_on is None else series.revealed_on
    hidden, shown = series.matches[: known + 1], series.matches[known:]
    parts = [_line(frame, "opened", series.opened), _line(frame, "matches", hidden)]
    if series.revealed_on is not None:
        x = frame.x(known)
        parts.append(_line(frame, "matches known", shown, known))
        parts.append(Markup('<line class="moment" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x, x, _TOP, frame.y(0)))
        parts += [_dot(frame, known + number, count) for number, count in enumerate(shown)]
        anchor = "end" if known > frame.days / 2 else "start"
        parts.append(_text("moment-label", x + (-6 if anchor == "end" else 6), _TOP + 9, "revealed", anchor))
    return parts


def _line(frame: _Frame, kind: str, counts: Sequence[int], first: int = 0) -> Markup:
    return Markup('<path class="line {}" d="{}"/>').format(kind, frame.path(counts, first))


def _dot(frame: _Frame, day: int, count: int) -> Markup:
    return Markup('<circle class="dot" cx="{}" cy="{}" r="3.5"/>').format(frame.x(day), frame.y(count))


def _text(kind: str, x: float, y: float, text: str, anchor: str = "middle") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, x, round(y, 1), anchor, text
    )
