"""Many histories: `python -m tests.simulation --histories 10000`. What fails is printed with its seed, made short."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.server.site import Site
from tests.simulation.history import Event, drawn, shrunk
from tests.simulation.world import BrokenPromiseError, World, template


class Stage:
    """Runs histories, each on a copy of one server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whole = folder / "template"
        template(self._whole)

    def run(self, events: Sequence[Event]) -> None:
        """Run one; BrokenPromiseError if it ends as it must not."""
        path = self._folder / "history"
        shutil.copytree(self._whole, path)
        try:
            world = World(Site(path))
            try:
                world.run(events)
            finally:
                world.close()
        finally:
            shutil.rmtree(path)

    def fails(self, events: Sequence[Event]) -> bool:
        """Whether one ends as it must not."""
        try:
            self.run(events)
        except Exception:
            return True
        return False

    def try_seed(self, seed: int) -> None:
        """Run the history of a seed; BrokenPromiseError with all that is needed to understand it."""
        events = drawn(seed)
        try:
            self.run(events)
        except Exception as broken:
            steps = "\n  ".join(map(str, shrunk(events, self.fails)))
            told = f"history {seed}: {type(broken).__name__}: {broken}; the shortest like it:"
            raise BrokenPromiseError(f"{told}\n  {steps}") from broken


def main() -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="how many (default: 10 000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    arguments = parser.parse_args()
    memory = Path("/dev/shm")  # noqa: S108 (in memory)
    begun, broken = time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        stage = Stage(Path(folder))
        for seed in range(arguments.seed, arguments.seed + arguments.histories):
            try:
                stage.try_seed(seed)
            except BrokenPromiseError as error:
                broken += 1
                print(error, file=sys.stderr, flush=True)
    print(f"{arguments.histories} histories in {time.monotonic() - begun:.0f} s, {broken} of them broke a promise")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
