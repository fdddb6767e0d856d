"""Files and folders: that they are there, that this user can use them, and that nobody else can."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from tpsi_server.config import DataFolder
from tpsi_server.doctor.finding import Finding, fault, good, note
from tpsi_server.store import Location

#: Octets free below which writing will soon fail, and below which it is time to make room.
FULL, NARROW = 64 << 20, 1 << 30


def permissions(folder: DataFolder) -> Iterator[Finding]:
    """Whether this user can read and write all, and no other one can get at keys and data."""
    blocked = [path for path in _private(folder) if not os.access(path, os.R_OK | os.W_OK)]
    for path in blocked:
        yield fault("permissions", f"this user cannot read and write {path}", f"run as its owner, or: chown {path}")
    exposed = [path for path in _private(folder) if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    for path in exposed:
        mode = "700" if path.is_dir() else "600"
        yield fault("permissions", f"others than its owner can reach {path}", f"chmod {mode} {path}")
    if not blocked and not exposed:
        yield good("permissions", f"only this user can reach what is in {folder.path}")


def _private(folder: DataFolder) -> Iterator[Path]:
    """What nobody else may reach: the folders, and what lies in those of keys and certificates."""
    tops = (folder.path, folder.keys, folder.tls)
    inside: Iterable[Path] = (
        path for top in (folder.keys, folder.tls) if _listable(top) for path in sorted(top.iterdir())
    )
    for path in (*tops, folder.database, *inside):
        if path.exists():
            yield path


def _listable(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.R_OK | os.X_OK)


def leftovers(folder: DataFolder) -> Iterator[Finding]:
    """Whether keys lie beside the data that they open."""
    if folder.keys.is_relative_to(folder.path):
        says = "the key files lie in the data folder: a copy of it and the passphrase open everything"
        yield note("keys", says, "for a server in earnest keep them elsewhere: --keys DIR")


def space(folder: DataFolder, location: Location) -> Iterator[Finding]:
    """Whether there is room on the disks."""
    places = {folder.path, folder.tables, *([location.parent] if isinstance(location, Path) else [])}
    seen: set[int] = set()
    for place in sorted(path for path in places if path.exists()):
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(place).free
        text = f"{free / (1 << 30):.1f} GiB are free on the disk of {place}"
        if free < FULL:
            yield fault("disk", text, "make room: uploads are about to be refused")
        elif free < NARROW:
            yield note("disk", text, "make room soon")
        else:
            yield good("disk", text)
