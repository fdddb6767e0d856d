"""A running peer, and what is measured of it, in turn with the same steps of ours."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import PeerUnavailableError
from bench.measure import Work

NAME = "openmined-psi"
_WORKER = Path(__file__).with_name("peer_worker.py")


class Peer:
    """The peer's process, for a list of `listed` hashes and `items` items of a device; use it in a `with` block.

    PeerUnavailableError if it does not start, or ends by itself.
    """

    def __init__(self, python: Path, listed: int, items: int) -> None:
        self.listed, self.items = listed, items
        self._process = subprocess.Popen(
            [str(python), str(_WORKER), str(listed), str(items)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        greeting = self._hear()
        self.version = str(greeting["version"])
        self.setup_bytes = int(greeting["setup_bytes"])

    def works(self) -> dict[str, dict[str, Work]]:
        """The three steps of the peer, by those of ours that they stand beside."""
        return {
            "blind and encode": {NAME: Work(self.listed, self._sample("set up"))},
            "seal": {NAME: Work(self.items, self._sample("device"))},
            "match": {NAME: Work(self.items, self._sample("process"))},
        }

    def _sample(self, operation: str) -> Callable[[], float]:
        def sample() -> float:
            self._tell({"do": operation})
            return float(self._hear()["seconds"])

        return sample

    def _tell(self, request: dict[str, str]) -> None:
        if self._process.stdin is None:
            raise PeerUnavailableError("the peer's process has no input")
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise PeerUnavailableError(f"{NAME} stopped: {self._last_words()}") from None
        return answer

    def _last_words(self) -> str:
        self._process.kill()
        said = self._process.communicate()[1].strip().splitlines()
        return said[-1] if said else "without a word"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.communicate()  # its input ends, and so does it
