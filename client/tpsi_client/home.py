"""A device's folder: where its files are, and the lock that keeps a second process out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import platformdirs

from tpsi_client.errors import LockedError, NotEnrolledError
from tpsi_client.files import disk, make_private_folder, take_lock

ENVIRONMENT = "TPSI_HOME"


def default_home() -> Path:
    """`$TPSI_HOME`, or the place where this system keeps a user's application data."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else platformdirs.user_data_path("tpsi", appauthor=False)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside of one device's folder."""

    path: Path

    @property
    def configuration(self) -> Path:
        """Whom the device belongs to and what it trusts (holds the access token)."""
        return self.path / "device.json"

    @property
    def secret(self) -> Path:
        """The account secret."""
        return self.path / "account.secret"

    @property
    def outbox(self) -> Path:
        """Vouchers on their way, and the memory of what was sealed."""
        return self.path / "outbox.sqlite3"

    @property
    def tables(self) -> Path:
        """One folder for each table, named by the manifest's digest."""
        return self.path / "table"

    @property
    def evidence(self) -> Path:
        """What shows that a server lied, if it did."""
        return self.path / "evidence"

    @property
    def lock(self) -> Path:
        """The file whose lock is held by the process that changes anything here."""
        return self.path / "lock"

    def table(self, digest: bytes) -> Path:
        """The folder of the table with this manifest digest."""
        return self.tables / digest.hex()

    @property
    def enrolled(self) -> bool:
        """Whether a device lives here."""
        return self.configuration.exists()

    def require_enrolled(self) -> None:
        """Raise NotEnrolledError unless a device lives here."""
        if not self.enrolled:
            raise NotEnrolledError(
                f"no device is enrolled in {self.path}; run: tpsi-device enrol FILE "
                "(the operator of the list gives you the file), or name another folder with --home"
            )


class HomeLock:
    """Exclusive use of a device's folder, until `release` or the end of the process, however it ends."""

    def __init__(self, home: Home) -> None:
        """Take the lock. Raises LockedError, naming the other process, if it is taken; DiskError."""
        make_private_folder(home.path)
        with disk(home.lock, "open"):
            self._file: BinaryIO | None = home.lock.open("a+b")
        try:
            take_lock(self._file)
        except OSError:
            other = _holder(self._file)
            self._file.close()
            raise LockedError(
                f"another process{other} is using the device in {home.path}; "
                "wait until it has finished, or use another --home"
            ) from None
        with disk(home.lock, "write"):
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode("ascii"))
            self._file.flush()

    def release(self) -> None:
        """Give the folder free. A second call does nothing."""
        if self._file is not None:
            self._file.close()  # closing the file gives the lock up
            self._file = None


def _holder(file: BinaryIO) -> str:
    try:
        file.seek(0)
        digits = file.read(20).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (number {digits})" if digits.isdigit() else ""
