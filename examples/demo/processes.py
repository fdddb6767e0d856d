"""Child processes: each command of the demonstration runs as one, and none of them outlives it."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from examples.demo.errors import DemoError

#: No command of the demonstration takes a tenth of this; one that does hangs.
PATIENCE = 180.0

#: How long a process may take to end when it is asked to.
_GRACE = 5.0


class Processes:
    """Starts commands and knows those that still run; leaving the `with` block stops them all."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.commands = 0

    def run(self, command: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
        """Run a command to its end; what it printed. Raises DemoError if it fails or hangs. Thread-safe."""
        status, output, complaint = self._end(command, arguments, environment)
        if status:
            raise DemoError(f"`{_shown(command, arguments)}` failed: {last_line(complaint or output)}")
        return output

    def refused(self, command: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
        """Run a command that must fail; its last line, without its name. Raises DemoError if it succeeds or hangs."""
        status, output, complaint = self._end(command, arguments, environment)
        if status != 1:
            raise DemoError(f"`{_shown(command, arguments)}` should have failed, and ended with status {status}")
        return last_line(complaint or output).removeprefix(f"{command}: ")

    def _end(
        self, command: str, arguments: Sequence[str | Path], environment: Mapping[str, str] | None
    ) -> tuple[int, str, str]:
        """Run a command to its end: its status, and what it printed to both channels."""
        process = self._start(command, arguments, environment, subprocess.PIPE)
        try:
            output, complaint = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise DemoError(f"`{_shown(command, arguments)}` has not ended in {PATIENCE:.0f} seconds") from None
        finally:
            self.stop(process)
        return process.returncode, output, complaint

    def start(
        self, command: str, *arguments: str | Path, log: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command that runs until it is stopped; what it prints goes to a file."""
        with log.open("w", encoding="utf-8") as file:
            return self._start(command, arguments, environment, file.fileno())

    def stop_all(self) -> None:
        """Stop every process, and start no more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            self.stop(process)

    def _start(
        self, command: str, arguments: Sequence[str | Path], environment: Mapping[str, str] | None, output: int
    ) -> subprocess.Popen[str]:
        program = _program(command)
        with self._lock:
            if self._closed:
                raise DemoError("the demonstration was stopped")
            process = subprocess.Popen(
                [program, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE if output == subprocess.PIPE else output,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**_environment(), **(environment or {})},
                start_new_session=True,  # Ctrl-C reaches this process alone, which then stops the others
            )
            self._running.add(process)
            self.commands += 1
        return process

    def stop(self, process: subprocess.Popen[str]) -> None:
        """End one process, patiently at first."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own: what it started ends with it
                process.wait()
        with self._lock:
            self._running.discard(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal that asks the program to end raise KeyboardInterrupt, and ignore those that follow.

    So what was started is stopped, and what was written is removed, however impatient somebody is.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for one in before:
        signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _program(command: str) -> str:
    """The command beside this Python: not one of another installation that happens to be on the path."""
    folder = Path(sys.executable).parent
    for name in (command, f"{command}.exe"):
        if (folder / name).is_file():
            return str(folder / name)
    raise DemoError(f"there is no {command} beside {sys.executable}; run: {sys.executable} -m pip install -e '.[demo]'")


def _environment() -> dict[str, str]:
    """The user's, without the settings of the user's own server and device."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TPSI_")}
    return {**mine, "NO_COLOR": "1"}


def _shown(command: str, arguments: Sequence[str | Path]) -> str:
    return shlex.join([command, *map(str, arguments)])


def last_line(text: str) -> str:
    """The last line of a command's output that is not blank."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
