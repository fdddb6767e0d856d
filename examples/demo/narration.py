"""What the demonstration says in the terminal: a few lines a step, with the figures of this run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from examples.demo.albums import Album
from examples.demo.figures import Account, Figures
from examples.demo.hashlists import HashList
from examples.demo.host import Table
from examples.demo.outcome import Seen
from examples.demo.specimen import Part
from examples.demo.wording import counted, names, number, seconds, size

_COLOURS = {"header": "bright_black", "Q": "cyan", "share": "magenta", "payload": "green"}
_INDENT = (0, 0, 0, 2)
_WIDTH = 100
_COLUMN = 14
#: Of the spinner, a second: each costs time that the processes could use.
_FRAMES = 4
#: Hexadecimal digits of each part of a voucher.
_SHOWN = 28


class Narrator:
    """Tells the run, step by step, in lines of at most 100 characters; to a file or a pipe always as wide."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.console.width = min(self.console.width, _WIDTH) if self.console.is_terminal else _WIDTH
        self._step = 0

    def open(self, threshold: int) -> None:
        """What is going to be shown."""
        self.console.print()
        self.console.print(Text("tpsi: who learns what from a hash list and five photo albums", style="bold"))
        self._tell(
            "A server has a list of known pictures. Five devices have photographs. The server must learn nothing about "
            f"an account unless more than {threshold} of its pictures are on the list, and then only those."
        )

    def tell(self, text: str) -> None:
        """A few sentences of the step at hand."""
        self._tell(text)

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self.console.print()
        self.console.print(Text(f"{self._step}  {title}", style="bold cyan"))

    @contextmanager
    def waiting(self, doing: str) -> Iterator[Callable[[int], None]]:
        """Show what takes a while, and how far it has come if it says so; nothing remains of it."""
        with self.console.status(Text(f"{doing} …"), refresh_per_second=_FRAMES) as status:
            yield lambda done: status.update(Text(f"{doing}: {number(done)} …"))

    def photographs(self, count: int, origins: str, distance: int) -> None:
        """Which pictures there are."""
        self._tell(
            f"{counted(count, 'picture')}: {origins}. "
            f"The perceptual hashes (PDQ, 256 bits) of any two of them differ in at least {distance} bits."
        )

    def blinded(self, lists: Sequence[HashList], listed: int, table: Table, took: float, start: str) -> None:
        """How the list came about, and what devices get to see of it."""
        sources = names([f"{number(one.entries)} hashes of the {one.source}" for one in lists])
        canary = ", and the hash of a published test picture" if table.canary else ""
        self._tell(
            f"It imported {sources}. Admitted is what both name{canary}: {number(table.hashes)} hashes. "
            f"{listed} of them are of pictures of ours, which play the part of known ones."
        )
        self._tell(
            "It turned each hash into a point of a curve, multiplied that by a secret number, and arranged the results "
            f"in a table of {number(table.cells)} points: {size(table.octets)}, "
            f"{table.octets / table.hashes:.1f} bytes a hash, in {seconds(took)}. "
            "Devices download the table. To whoever lacks the secret it is noise:"
        )
        self._show(Text(f"{start} …", style="bright_black"))

    def enrolled(self, address: str, devices: Sequence[str], table: Table) -> None:
        """What the devices have done to join."""
        self._tell(
            f"The server listens at {address}, with TLS. Each device has processes and a folder of its own: "
            f"{names(devices)}. Every one checked the server's certificate and the signature on the list, downloaded "
            f"the {size(table.octets)}, and hashed the test picture, to be sure that it computes hashes as the list's "
            "makers do."
        )

    def holdings(self, dealt: Sequence[Album]) -> None:
        """What every device holds."""
        self._tell("What the devices hold, and the server does not know:")
        table = Grid.grid(padding=(0, 2))
        for album in dealt:
            files = counted(len(album.until(len(album.days))), "photograph")
            table.add_row(Text(album.member.name, style="bold"), Text(files), Text(album.holds))
        self._show(table)

    def voucher(self, owner: str, parts: Sequence[Part]) -> None:
        """A voucher in hexadecimal, cut short, part by part."""
        octets = sum(part.octets for part in parts)
        self._tell(
            f"For every photograph, listed or not, a device sends a voucher of {number(octets)} bytes. "
            f"One of {owner}'s, as the server gets it:"
        )
        table = Grid.grid(padding=(0, 2))
        for part in parts:
            style = _COLOURS[part.name]
            shown = part.hex[:_SHOWN] + ("" if len(part.hex) <= _SHOWN and part.is_whole else "…")
            octets_of_part = Text(number(part.octets), justify="right")
            table.add_row(Text(part.name, style=style), octets_of_part, Text(shown, style=style), Text(part.meaning))
        self._show(table)

    def evenings(self, rate: float, accounts: Iterable[str]) -> None:
        """The heading of the operator's view."""
        self._tell(
            f"The server counts the vouchers that open. About {100 * rate:.0f} % open although nothing matched: "
            "synthetic ones, sent in place of some pictures' own to spoil the count (the listed pictures were dealt so "
            "that none of theirs is lost). Opened/sent → pictures revealed:"
        )
        self._line("", [Text(name, style="bold") for name in accounts])

    def evening(self, day: int, seen: Iterable[Seen]) -> None:
        """A line of the operator's view."""
        self._line(f"day {day}", [_seen(one) for one in seen])

    def verdict(self, accounts: Sequence[Account]) -> None:
        """Every account: the truth, what the server saw, what it was shown, and whether that is as it must be."""
        self._tell("Matches are what the devices know, opened vouchers and revealed pictures what the server has:")
        table = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
        table.add_column("account")
        for title in ("matches", "opened", "revealed", "must be", ""):
            table.add_column(title, justify="right")
        for account in accounts:
            table.add_row(*_verdict(account))
        self._show(table)
        for account in accounts:
            for problem in account.outcome.problems:
                self._show(Text(f"{account.outcome.name}: {problem}", style="red"))

    def close(self, figures: Figures, report: Path, summary: Path) -> None:
        """The result, and where to read on."""
        self.console.print()
        if figures.ok:
            silent = names([account.outcome.name for account in figures.silent_accounts])
            shown = names([account.outcome.name for account in figures.revealed_accounts])
            self.console.print(
                Text(
                    f"As promised: nothing about {silent}; of {shown} exactly the listed pictures.", style="bold green"
                )
            )
        else:
            self.console.print(Text("NOT as promised: see above.", style="bold red"))
        self.console.print(f"{counted(figures.commands, 'process', 'processes')} in {seconds(figures.seconds)}.")
        self.console.print(Text(f"Report, for a browser   {report}"))
        self.console.print(Text(f"Summary, for programs   {summary}"))

    def _tell(self, text: str) -> None:
        self._show(Text(text))

    def _show(self, what: Text | Grid) -> None:
        self.console.print(Padding(what, _INDENT, expand=False))

    def _line(self, title: str, cells: Iterable[Text]) -> None:
        line = Text(f"  {title:<6}")
        for cell in cells:
            cell.pad_left(max(1, _COLUMN - cell.cell_len))
            line.append_text(cell)
        self.console.print(line)


def _seen(seen: Seen) -> Text:
    text = Text(f"{seen.opened}/{seen.vouchers}")
    if seen.revealed:
        text.append(f" → {seen.revealed}", style="bold green")
    return text


def _verdict(account: Account) -> list[Text]:
    outcome = account.outcome
    return [
        Text(outcome.name, style="bold"),
        Text(str(outcome.distinct_listed_hashes)),
        Text(str(outcome.opened_vouchers)),
        Text(str(outcome.revealed), style="bold"),
        Text(str(outcome.expected_revealed)),
        Text("✓", style="green") if outcome.ok else Text("✗", style="red"),
    ]
