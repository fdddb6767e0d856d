"""The results as a part of `benchmark.md`, with plots beside it: all between two marks is written anew by a run."""

from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.grids import Grid, grids, head
from bench.plots import draw
from bench.run import Results

FILE = "benchmark.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def require_writable(folder: Path) -> None:
    """BenchError, before minutes are spent, if there is no document with both marks in the folder."""
    _split(folder)


def write(results: Results, folder: Path) -> None:
    """Put the figures into the document, and the plots beside it."""
    before, after = _split(folder)
    plots = draw(results, folder)
    body = "\n".join(_body(results, plots))
    _store(folder / FILE, f"{before}{BEGIN}\n{body}\n{END}{after}")


def _split(folder: Path) -> tuple[str, str]:
    """What stands before the first mark and after the second."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{path} cannot be read ({error.strerror}): name the folder that it is in") from None
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise BenchError(f"{path} lacks the lines {BEGIN} and {END}, between which figures are written")
    return before, after


def _store(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{path} cannot be written ({error.strerror})") from None


def _body(results: Results, plots: dict[str, str]) -> Iterator[str]:
    yield from (f"{line}\\" for line in head(results)[:-1])
    yield head(results)[-1] + "."
    for file, meaning in plots.items():
        yield f"\n![{meaning}]({file})"
    for grid in grids(results):
        yield from _table(grid)


def _table(grid: Grid) -> Iterator[str]:
    columns = [*grid.left, *grid.right]
    yield f"\n### {grid.title}\n"
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(grid.left) + "--:|" * len(grid.right)
    for row in grid.rows:
        yield f"| {' | '.join(row)} |"
    if grid.notes:
        yield "\n" + " ".join(grid.notes)
