"""Finding the pictures in a folder."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tpsi.pictures.errors import PictureError, unusable
from tpsi.pictures.pillow import extensions
from tpsi.pictures.video import CONTAINERS


def _ignore(error: PictureError) -> None:
    """What is done about a folder that can't be listed, unless the caller says otherwise: nothing."""


def scan(
    folder: str | os.PathLike[str],
    *,
    every_file: bool = False,
    videos: bool = False,
    unreadable: Callable[[PictureError], None] = _ignore,
) -> Iterator[Path]:
    """Paths of the pictures in `folder` and the folders below it, in one order for the same names.

    Pictures, and if `videos` also these, are told by their extension, unless `every_file`. Passed over: hidden files
    and folders, links to folders (so that no loop is walked), and what is not a regular file. A folder below that
    can't be listed is given to `unreadable` and passed over. Raises PictureError if `folder` itself can't
    be listed.
    """
    top = Path(folder)
    _listing(top)
    known = extensions() | (frozenset(CONTAINERS) if videos else frozenset())
    return _walk(top, lambda name: every_file or Path(name).suffix.lower() in known, unreadable)


def _walk(folder: Path, wanted: Callable[[str], bool], unreadable: Callable[[PictureError], None]) -> Iterator[Path]:
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            entries = _listing(current)
        except PictureError as error:
            unreadable(error)
            continue
        visible = [entry for entry in entries if not entry.name.startswith(".")]
        for entry in visible:
            if wanted(entry.name) and _is(entry.is_file):
                yield current / entry.name
        below = [entry for entry in visible if _is(partial(entry.is_dir, follow_symlinks=False))]
        pending.extend(current / entry.name for entry in reversed(below))


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; one that can't be told, such as a link to itself, is of none."""
    try:
        return kind()
    except OSError:
        return False


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise unusable(str(folder), f"folder can't be listed ({error.strerror})") from None
