"""The command line: choices, the work folder that is removed in the end, the files that stay, the exit status."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from examples.demo import outcome, report
from examples.demo.errors import DemoError
from examples.demo.figures import Figures
from examples.demo.narration import Narrator
from examples.demo.play import Play
from examples.demo.processes import Processes, interruptible
from examples.demo.settings import Settings
from tpsi.errors import TpsiError

PROGRAM = "demo"
REPORT, SUMMARY = "report.html", "summary.json"
AS_PROMISED, FAILED, INTERRUPTED = 0, 1, 130

#: Above it the sample photographs would be too few before the decoder had enough.
MOST_THRESHOLD = 40
FEWEST_HASHES, MOST_HASHES = 1_000, 1_000_000
MOST_DAYS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 if all went as promised, 1 if not, 130 if interrupted."""
    settings = parse(arguments)
    narrator = Narrator()
    try:
        with interruptible(), work_folder(settings) as work, Processes() as processes:
            figures = Play(settings, work, narrator, processes).run()
        return finish(figures, settings.out, narrator)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted; all processes are stopped", file=sys.stderr)
        return INTERRUPTED
    except (DemoError, TpsiError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"{PROGRAM}: the system reports: {error.strerror or error}{where}", file=sys.stderr)
        return FAILED


def parse(arguments: Sequence[str] | None) -> Settings:
    """The choices on the command line; ends the program, as argparse does, if they are wrong."""
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="A server with a hash list, five devices with photographs, and what each of them learns. "
        "Everything runs on this machine, in processes of their own, over TLS.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder for report.html and summary.json"
    )
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="use the pictures in this folder instead of the samples"
    )
    parser.add_argument(
        *("--threshold", "-t"),
        type=_between(1, MOST_THRESHOLD),
        default=10,
        metavar="T",
        help="more matches reveal (10)",
    )
    parser.add_argument(
        *("--hashes",),
        type=_between(FEWEST_HASHES, MOST_HASHES),
        default=20_000,
        metavar="N",
        help="on the list (20000)",
    )
    parser.add_argument(
        "--days", type=_between(1, MOST_DAYS), default=3, metavar="N", help="to spread pictures over (3)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="decides the pictures and the list (1)")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the server and the devices")
    chosen = parser.parse_args(arguments)
    return Settings(chosen.out, chosen.photos, chosen.threshold, chosen.hashes, chosen.days, chosen.seed, chosen.keep)


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A new folder in the out folder for server, devices and pictures; removed afterwards unless it is to be kept."""
    settings.out.mkdir(parents=True, exist_ok=True)
    for name in (REPORT, SUMMARY):
        (settings.out / name).unlink(missing_ok=True)  # an earlier run's must not be taken for this one's
    work = Path(tempfile.mkdtemp(prefix="work-", dir=settings.out)).resolve()
    try:
        yield work
    finally:
        if not settings.keep:
            shutil.rmtree(work, ignore_errors=True)


def finish(figures: Figures, out: Path, narrator: Narrator) -> int:
    """Write `report.html` and `summary.json`, say how it went, and return the exit status."""
    page, summary = out / REPORT, out / SUMMARY
    page.write_text(report.render(figures), encoding="utf-8")
    accounts = [account.outcome for account in figures.accounts]
    value = outcome.summary(figures.threshold, accounts, figures.sizes)
    summary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    narrator.close(figures, page, summary)
    return AS_PROMISED if figures.ok else FAILED


class _between:  # noqa: N801 - used like a function
    """A number within bounds, for argparse."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        value = int(text)
        if not self._least <= value <= self._most:
            raise argparse.ArgumentTypeError(f"{value} is not from {self._least} to {self._most}")
        return value
