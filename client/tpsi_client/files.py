"""Files that are written whole or not at all, and errors of the disk in plain words."""

import errno
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tpsi_client.errors import DiskError, HomeError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

#: Seconds between two tries to get a lock.
_PAUSE = 0.05

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError of the block into a DiskError: `doing` completes "can't …", for example "write"."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskError(f"can't {doing} {path}: the disk is full; make room and try again") from None
        raise DiskError(f"can't {doing} {path}: {error.strerror or error}") from None


def make_private_folder(path: Path) -> None:
    """Make a folder, and its parents, that only its owner may enter. Raises DiskError."""
    with disk(path, "make the folder"):
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Write a file that only its owner may read, so that a crash leaves the old one or the new one.

    Of several that write it at once, one whole content stays. Raises DiskError; HomeError if the file exists and is not
    to be replaced.
    """
    if not replace and path.exists():
        raise _taken(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        with disk(path, "write"):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with open(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if not replace:
                _claim(path)
            beside.replace(path)
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _claim(path: Path) -> None:
    """Take a name that nobody has: links, which could do without, are not on every disk."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    except FileExistsError:
        raise _taken(path) from None


def _taken(path: Path) -> HomeError:
    return HomeError(f"{path} exists already; choose another name, or remove it")


def write_whole(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a small file in the manner of `whole_file`."""
    with whole_file(path, replace=replace) as stream:
        stream.write(data)


def sync_folder(path: Path) -> None:
    """Make renames in a folder durable, where the system knows how."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, limit: int, what: str) -> bytes:
    """A small file's content. Raises HomeError if it is missing, unreadable, or larger than `limit` octets."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise HomeError(f"there is no {what} at {path}") from None
    except OSError as error:
        raise HomeError(f"the {what} at {path} can't be read: {error.strerror or error}") from None
    if len(data) > limit:
        raise HomeError(f"the {what} at {path} is larger than {limit} octets; is this the right file?")
    return data


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """A block that one program at a time is in, of all that name this file; the others wait. Raises DiskError."""
    with disk(path, "open"):
        file = path.open("a+b")
    with file:
        while True:
            try:
                take_lock(file)
                break
            except OSError:
                time.sleep(_PAUSE)
        yield


if sys.platform == "win32":
    import msvcrt

    def take_lock(file: BinaryIO) -> None:
        """Lock a file until it is closed; OSError if another program has it."""
        file.seek(2**30)  # beyond what others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

    _seeking = threading.Lock()

    def read_at(descriptor: int, size: int, offset: int) -> bytes:
        """Octets of an open file, fewer only at its end."""
        with _seeking:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)

else:
    import fcntl

    read_at = os.pread

    def take_lock(file: BinaryIO) -> None:
        """Lock a file until it is closed; OSError if another program has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
