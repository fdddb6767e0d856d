"""From a file to the items that are sealed for it: its hashes, and the associated data of a photograph."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from tpsi import Item, ItemHash, Photograph
from tpsi.errors import CallerError
from tpsi.symmetric import KEY_SIZE
from tpsi.voucher import capacity
from tpsi_client.pictures import Picture, PictureError, derivative, hasher
from tpsi_client.pictures.errors import unusable

_T = TypeVar("_T")

#: Octets of a photograph's associated data besides the small picture.
_OVERHEAD = len(Photograph(bytes(KEY_SIZE), b"").encode())


@dataclass(frozen=True, slots=True)
class Examined:
    """What a picture's file gave: the digest of its content, its hashes by type, and its small picture.

    `problems` are one-line reasons why a hash or the small picture is missing. `content` is kept only on demand.
    """

    content_digest: bytes
    hashes: Mapping[str, ItemHash]
    preview: bytes
    problems: Sequence[str]
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's length and time of change (nanoseconds since 1970) before it was read."""

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Raises PictureError if the file is gone or can't be looked at."""
        try:
            status = path.stat()
        except OSError as error:
            raise unusable(path.name, f"can't be read ({error.strerror})") from None
        return cls(status.st_size, status.st_mtime_ns)


def examine(path: Path, types: Sequence[str], preview_size: int, keep_content: bool) -> Examined:
    """Read, decode and hash a file. Raises PictureError if it can't be read at all.

    `preview_size`: octets that the small picture may take; 0 for none.
    """
    picture = Picture.read(path)
    problems: list[str] = []
    hashes: dict[str, ItemHash] = {}
    for label in types:
        found = _attempt(partial(hasher(label).hash, picture), problems)
        if found is not None:
            hashes[label] = found
    preview = b""
    if hashes and preview_size:
        preview = _attempt(partial(_preview, picture, preview_size), problems) or b""
    content = picture.content if keep_content and isinstance(picture.content, bytes) else None
    return Examined(picture.file_digest("sha256"), hashes, preview, problems, content)


def items_of(examined: Examined, types: Sequence[str], size_class: int) -> list[Item]:
    """One item for each of the types that the picture has a hash of, each with a content key of its own.

    The identifier is the SHA-256 of the file, so that a list that counts items counts equal files once. One
    voucher for each type, as the list may hold a picture under any of them (with one probe an item).
    """
    return [
        Item(examined.content_digest, (examined.hashes[label],), _associated(examined.preview, size_class))
        for label in types
        if label in examined.hashes
    ]


def preview_room(size_class: int) -> int:
    """How many octets vouchers of a size class have for the small picture of a photograph."""
    return max(0, capacity(size_class) - _OVERHEAD)


def _associated(preview: bytes, size_class: int) -> bytes:
    if capacity(size_class) < _OVERHEAD:
        return b""
    return Photograph(secrets.token_bytes(KEY_SIZE), preview).encode()


def _preview(picture: Picture, size: int) -> bytes:
    try:
        return derivative(picture, size)
    except CallerError:  # not even a tiny one fits: the voucher goes without
        return b""


def _attempt(work: Callable[[], _T], problems: list[str]) -> _T | None:
    """The outcome of `work`; None if it raises PictureError, whose message is noted once."""
    try:
        return work()
    except PictureError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return None
