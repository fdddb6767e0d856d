"""The processes that measure: one for each backend, so that both are measured in the same rounds."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError
from bench.measure import Step, Subject, Work
from bench.settings import LIBRARY, NATIVE, Setting
from tpsi.groups import RISTRETTO255_SHA512

_ROOT = Path(__file__).resolve().parent.parent


def backends() -> tuple[str, ...]:
    """Those that are installed, the one that is used by default first."""
    return (NATIVE, LIBRARY) if find_spec("tpsi_native") else (LIBRARY,)


def suites_of(backend: str, suites: Sequence[str]) -> list[str]:
    """The suites that a backend has."""
    return [suite for suite in suites if backend == LIBRARY or suite == RISTRETTO255_SHA512]


class Member:
    """A process with one backend and `threads` threads; use it in a `with` block. BenchError if it fails."""

    def __init__(
        self, backend: str, setting: Setting, suites: Sequence[str], tables: Sequence[str], *, threads: int = 1
    ) -> None:
        chosen = {"TPSI_BACKEND": backend, "TPSI_NATIVE_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", json.dumps(asdict(setting)), ",".join(suites), ",".join(tables)],
            cwd=_ROOT,
            env=os.environ | chosen,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._steps: list[Step] | None = None

    @property
    def steps(self) -> list[Step]:
        """What it can measure."""
        if self._steps is None:
            said = self._hear()
            if isinstance(said, dict):
                raise BenchError(said["error"])
            self._steps = [
                Step(Subject(**one["subject"]), Work(one["items"], self._sample(number)))
                for number, one in enumerate(said)
            ]
        return self._steps

    def _sample(self, number: int) -> Callable[[], float]:
        def sample() -> float:
            if self._process.stdin is None:
                raise BenchError("a measuring process has no input")
            try:
                self._process.stdin.write(f"{number}\n")
                self._process.stdin.flush()
            except OSError:
                pass  # it has ended: that shows when nothing is heard
            return float(self._hear())

        return sample

    def _hear(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        try:
            return json.loads(line)
        except ValueError:
            raise BenchError("a measuring process failed: its own words are above") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()  # its input ends, and so does it
