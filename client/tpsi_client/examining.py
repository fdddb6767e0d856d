"""From a file to the items that are sealed for it: its hashes, and the associated data of a photograph."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from tpsi import Item, ItemHash, Photograph
from tpsi.errors import CallerError
from tpsi.pictures import Picture, PictureError, derivative, hasher
from tpsi.pictures.errors import unusable
from tpsi.symmetric import KEY_SIZE
from tpsi.voucher import capacity

_T = TypeVar("_T")

#: Ends the name of what is sealed of a picture's mirror image; no hash type's label has a plus sign.
_MIRRORED = "+mirrored"

#: Octets of a photograph's associated data besides the small picture.
_OVERHEAD = len(Photograph(bytes(KEY_SIZE), b"").encode())


@dataclass(frozen=True, slots=True)
class Examined:
    """What a picture's file gave: the digest of its content, its hashes by type, and its small picture.

    `probes` holds, by aspect, the picture's hash and the likeliest hashes of copies of it. `problems` are one-line
    reasons why a hash or the small picture is missing. `content` is kept only on demand.
    """

    content_digest: bytes
    probes: Mapping[str, tuple[ItemHash, ...]]
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


def aspects_of(types: Sequence[str], *, mirrored: bool) -> tuple[str, ...]:
    """What of a picture is sealed, each in a voucher of its own: its hash of every type, and if `mirrored`, after each
    perceptual one (`dct80`) that of its mirror image (`dct80+mirrored`)."""
    if not mirrored:
        return tuple(types)
    return tuple(aspect for label in types for aspect in _both(label))


def _both(label: str) -> tuple[str, ...]:
    return (label, label + _MIRRORED) if hasher(label).perceptual else (label,)


def examine(path: Path, aspects: Sequence[str], probes: int, preview_size: int, keep_content: bool) -> Examined:
    """Read, decode and hash a file. Raises PictureError if it can't be read at all.

    `probes`: how many hashes to seal for each aspect; `preview_size`: octets that the small picture may take, 0 for
    none.
    """
    picture = Picture.read(path)
    problems: list[str] = []
    hashes: dict[str, tuple[ItemHash, ...]] = {}
    for aspect in aspects:
        label, mirrored = aspect.removesuffix(_MIRRORED), aspect.endswith(_MIRRORED)
        found = _attempt(partial(hasher(label).probes, picture, probes, mirrored=mirrored), problems)
        if found is not None:
            hashes[aspect] = found
    preview = b""
    if hashes and preview_size:
        preview = _attempt(partial(_preview, picture, preview_size), problems) or b""
    content = picture.content if keep_content and isinstance(picture.content, bytes) else None
    return Examined(picture.file_digest("sha256"), hashes, preview, problems, content)


def items_of(examined: Examined, aspects: Sequence[str], size_class: int) -> list[Item]:
    """One item for each of the aspects that the picture has a hash of, each with a content key of its own.

    The identifier is the SHA-256 of the file, so that a list that counts items counts equal files once. One
    voucher for each aspect, as the list may hold a picture under several: its probes must not.
    """
    return [
        Item(examined.content_digest, examined.probes[aspect], _associated(examined.preview, size_class))
        for aspect in aspects
        if aspect in examined.probes
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
