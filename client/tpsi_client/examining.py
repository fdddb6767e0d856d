"""From a file to the items that are sealed for it: its hashes, and the associated data of a photograph."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from tpsi import Item, ItemHash, Photograph
from tpsi.errors import CallerError
from tpsi.pictures import Hasher, Picture, PictureError, derivative, hasher, is_video, scenes
from tpsi.pictures.errors import unusable
from tpsi.symmetric import KEY_SIZE
from tpsi.voucher import capacity

_T = TypeVar("_T")

#: Ends the name of what is sealed of a picture's mirror image; no hash type's label has a plus sign.
_MIRRORED = "+mirrored"

#: Octets of a photograph's associated data besides the small picture.
_OVERHEAD = len(Photograph(bytes(KEY_SIZE), b"").encode())


@dataclass(frozen=True, slots=True)
class View:
    """One thing to be sealed of a file: its hash with the likeliest ones of its copies, and its small picture."""

    probes: tuple[ItemHash, ...]
    preview: bytes = b""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file gave: the digest of its content, and by aspect what is to be sealed of it: of a picture one view, of
    a video one for every scene.

    `problems` are one-line reasons why a hash or the small picture is missing. `content` is kept only on demand.
    """

    content_digest: bytes
    views: Mapping[str, tuple[View, ...]]
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
    file = Picture.read(path)
    problems: list[str] = []
    views: dict[str, tuple[View, ...]] = {}
    of_file = aspects
    if is_video(path):
        of_file = [aspect for aspect in aspects if not _hasher(aspect).perceptual]
        of_scenes = [aspect for aspect in aspects if aspect not in of_file]
        views.update(_of_video(path, of_scenes, probes, preview_size, problems))
    for aspect, view in _of_picture(file, of_file, probes, 0 if is_video(path) else preview_size, problems).items():
        views[aspect] = (view,)
    content = file.content if keep_content and isinstance(file.content, bytes) else None
    return Examined(file.file_digest("sha256"), views, problems, content)


def _of_picture(
    picture: Picture, aspects: Sequence[str], probes: int, preview_size: int, problems: list[str]
) -> dict[str, View]:
    """The views of a picture, or of a video's scene, for the aspects under which it has a hash."""
    hashes: dict[str, tuple[ItemHash, ...]] = {}
    for aspect in aspects:
        mirrored = aspect.endswith(_MIRRORED)
        found = _attempt(partial(_hasher(aspect).probes, picture, probes, mirrored=mirrored), problems)
        if found is not None:
            hashes[aspect] = found
    preview = b""
    if hashes and preview_size:
        preview = _attempt(partial(_preview, picture, preview_size), problems) or b""
    return {aspect: View(found, preview) for aspect, found in hashes.items()}


def _of_video(
    path: Path, aspects: Sequence[str], probes: int, preview_size: int, problems: list[str]
) -> dict[str, tuple[View, ...]]:
    """The views of a video's scenes. Scenes that show too little are no problem unless all of them do."""
    views: dict[str, list[View]] = {}
    plain: list[str] = []
    try:
        for scene in scenes(path) if aspects else ():
            for aspect, view in _of_picture(scene, aspects, probes, preview_size, plain).items():
                views.setdefault(aspect, []).append(view)
    except PictureError as error:
        problems.append(str(error))
    if aspects and not views and not problems:
        problems.append(str(unusable(path.name, "none of its scenes has a hash")))
    return {aspect: tuple(found) for aspect, found in views.items()}


def _hasher(aspect: str) -> Hasher:
    return hasher(aspect.removesuffix(_MIRRORED))


def items_of(examined: Examined, aspects: Sequence[str], size_class: int) -> list[Item]:
    """One item for each view under these aspects, each with a content key of its own.

    The identifier is the SHA-256 of the file, so that a list that counts items counts equal files, and the scenes of
    one video, once. One voucher for each aspect, as the list may hold a picture under several: its probes must not.
    """
    return [
        Item(examined.content_digest, view.probes, _associated(view.preview, size_class))
        for aspect in aspects
        for view in examined.views.get(aspect, ())
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
