"""The same device without `await`: a thin face on `AsyncDevice`."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tpsi import CallerError, Item, Pins, SyntheticMode
from tpsi.log import SignedCheckpoint
from tpsi_client.device import AsyncDevice, FetchReport
from tpsi_client.enrolling import Choices, Enrolled
from tpsi_client.enrolment import Enrolment
from tpsi_client.fetching import Progress
from tpsi_client.local import silent
from tpsi_client.scanning import ScanReport
from tpsi_client.service import Patience
from tpsi_client.status import Status
from tpsi_client.uploading import UploadReport

_T = TypeVar("_T")


class Device:
    """A device in a folder of its own; see `AsyncDevice`, whose methods these are.

    A network call gets an event loop for its own duration. That costs a connection for each call, which is
    nothing beside what they do, and leaves no thread behind: Ctrl-C, `fork` and the end of the program stay simple.
    """

    def __init__(self, inner: AsyncDevice) -> None:
        self._inner = inner

    @classmethod
    def open(cls, home: Path | str | None = None, *, read_only: bool = False, patience: Patience | None = None) -> Self:
        """See `AsyncDevice.open`."""
        return cls(_run(lambda: AsyncDevice.open(home, read_only=read_only, patience=patience)))

    @classmethod
    def enrol(
        cls,
        home: Path | str | None,
        enrolment: Enrolment | Path | str,
        choices: Choices | None = None,
        *,
        fetch: bool = True,
        progress: Progress = silent,
        patience: Patience | None = None,
    ) -> Self:
        """See `AsyncDevice.enrol`."""
        return cls(
            _run(lambda: AsyncDevice.enrol(home, enrolment, choices, fetch=fetch, progress=progress, patience=patience))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        self._inner.close()

    @property
    def enrolled(self) -> Enrolled | None:
        """What enrolling found out; None for a device that was opened."""
        return self._inner.enrolled

    def fetch(self, *, progress: Progress = silent) -> FetchReport:
        """See `AsyncDevice.fetch`."""
        return _run(lambda: self._inner.fetch(progress=progress))

    def upload(self, *, progress: Progress = silent, again: bool = False) -> UploadReport:
        """See `AsyncDevice.upload`."""
        return _run(lambda: self._inner.upload(progress=progress, again=again))

    def seal(self, items: Sequence[Item]) -> list[bytes]:
        """See `AsyncDevice.seal`."""
        return self._inner.local.seal(items)

    def queue(self, items: Sequence[Item]) -> int:
        """See `AsyncDevice.queue`."""
        return self._inner.local.queue(items)

    def seal_files(
        self,
        paths: Sequence[Path | str],
        *,
        types: Sequence[str] = (),
        mirrored: bool = False,
        originals: Path | None = None,
        progress: Progress = silent,
    ) -> ScanReport:
        """See `AsyncDevice.seal_files`."""
        files = [Path(path) for path in paths]
        return self._inner.local.scan(files, types=types, mirrored=mirrored, originals=originals, progress=progress)

    def scan(
        self,
        folder: Path | str,
        *,
        types: Sequence[str] = (),
        mirrored: bool = False,
        videos: bool = False,
        originals: Path | None = None,
        progress: Progress = silent,
    ) -> ScanReport:
        """See `AsyncDevice.scan`."""
        return self._inner.local.scan(
            Path(folder), types=types, mirrored=mirrored, videos=videos, originals=originals, progress=progress
        )

    def export(self, path: Path | str, *, again: bool = False) -> int:
        """See `AsyncDevice.export`."""
        return self._inner.local.export(Path(path), again=again)

    def delivered(self, path: Path | str) -> int:
        """See `AsyncDevice.delivered`."""
        return self._inner.local.delivered(Path(path))

    def rescan(self) -> None:
        """See `AsyncDevice.rescan`."""
        self._inner.local.rescan()

    def pin(
        self,
        *,
        lowest_threshold: int | None = None,
        least_synthetic: int | None = None,
        modes: tuple[SyntheticMode, ...] | None = None,
        auditor_keys: tuple[bytes, ...] | None = None,
        auditors_needed: int | None = None,
        trusts_separation: bool | None = None,
    ) -> Pins:
        """See `AsyncDevice.pin`."""
        return self._inner.local.pin(
            lowest_threshold, least_synthetic, modes, auditor_keys, auditors_needed, trusts_separation=trusts_separation
        )

    def checkpoint(self) -> SignedCheckpoint:
        """The state of the server's log that the device accepted last. Raises HomeError if there is none yet."""
        return self._inner.local.checkpoint()

    def verify_absences(self, path: Path, *, progress: Progress = silent) -> int:
        """Check a file of published negatives against the table in use; how many names it has. Raises AuditError."""
        return self._inner.local.verify_absences(path, progress=progress)

    def status(self) -> Status:
        """The device's counts and settings."""
        return self._inner.local.status()


def _run(call: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(call())
    raise CallerError("an event loop is running here: use AsyncDevice, and await its methods")
