"""How much memory a process has had resident at most, alone and together with those that it started."""

import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_INTERVAL = 0.05


def peak_resident(process: int | None = None) -> int | None:
    """Octets, for a process by its number or for this one; None if the system does not tell.

    Linux tells it of the program that runs now. The portable figure, which only stands in for it elsewhere, counts what
    the process had before it became this program, too: the memory of the one that started it.
    """
    try:
        lines = Path(f"/proc/{process or 'self'}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None if process else _portable()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def resident(process: int) -> int:
    """Octets that a process and all that it started have now; what they share counts for each of them."""
    try:
        first = psutil.Process(process)
        family = [first, *first.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(map(_resident, family))


class Watch:
    """Looks at a process and those that it starts twenty times a second; `peak`: the most that they had together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.peak = 0
        self._process = process.pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._done.wait(_INTERVAL):
            self.peak = max(self.peak, resident(self._process))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended
        return 0


def _portable() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
