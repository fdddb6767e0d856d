"""Files that are written whole or not at all, and errors of the disk in plain words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tpsi_client.errors import DiskError, HomeError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

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

    Raises DiskError; HomeError if the file exists and is not to be replaced.
    """
    if not replace and path.exists():
        raise HomeError(f"{path} exists already; choose another name, or remove it")
    beside = path.with_name(f"{path.name}.new")
    try:
        with disk(path, "write"):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
            with open(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


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
