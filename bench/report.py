"""The results in a terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from bench.grids import Grid, grids, head
from bench.peer import NAME
from bench.run import Results


def show(results: Results, console: Console) -> None:
    """Print all tables."""
    for part in _parts(results):
        console.print(part)


def show_grids(grids_: Iterable[Grid], console: Console) -> None:
    """Print tables that belong to no run."""
    for grid in grids_:
        console.print(render(grid))
        for note in grid.notes:
            console.print(escape(note))


def _parts(results: Results) -> Iterator[RenderableType]:
    yield escape("\n".join(head(results)))
    for grid in grids(results):
        yield render(grid)
        yield from map(escape, grid.notes)
    if results.peer.missing is not None:
        yield f"\n[bold red]{NAME} was not measured:[/] {escape(results.peer.missing)}"


def render(grid: Grid) -> Table:
    """A grid as the terminal shows it; rows of one first column belong together."""
    table = Table(title=f"\n{grid.title}", title_justify="left", title_style="bold")
    for name in grid.left:
        table.add_column(name)
    for name in grid.right:
        table.add_column(name, justify="right", no_wrap=True)
    table.show_header = any([*grid.left, *grid.right])
    for place, row in enumerate(grid.rows):
        if len(grid.left) == 2 and place and row[0] != grid.rows[place - 1][0]:
            table.add_section()
        table.add_row(*map(escape, row))
    return table
