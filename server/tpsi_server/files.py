"""Files that are whole or not there: atomic writes, private modes, bounded reads."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tpsi_server.errors import DataError, OperatorError

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it, that only its owner can enter; an existing one stays as it is."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_atomically(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a private file that is there whole, on the disk, when this returns, or not at all.

    Raises FileExistsError if `replace` is false and there is one; any OSError names `path`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """A block that one process or thread at a time is in, of all that name this file; it ends with the process.

    The others wait, or, if `busy` says what is going on, get that as OperatorError. Where nothing can be written there
    is nothing to guard.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise OperatorError(f"{busy}: wait for its end") from None
        yield
    finally:
        os.close(descriptor)


def check_new_file(path: Path) -> None:
    """Raise OperatorError if a new file could not be written here: asked before anything is done that needs one."""
    if path.exists():
        raise OperatorError(f"there is a file {path} already: name another one")
    if not path.parent.is_dir():
        raise OperatorError(f"there is no folder {path.parent}: make it, or name a file in another one")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OperatorError(f"you can't write to the folder {path.parent}: name a file in another one")


def sync_folder(path: Path) -> None:
    """Make names that were added to or taken from a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a file; DataError if it has more than `limit` octets, OSError if it cannot be read."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DataError(f"{path} has more than {limit} octets: it is not what it should be")
    return data
