"""Hashing an operator's own pictures for a list: with the code, the gate and the rules that devices use."""

import csv
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from tpsi import ItemHash
from tpsi.pictures import RADII, Picture, PictureError, hasher, is_video, scan, scenes, second_hash
from tpsi.pictures.errors import printable
from tpsi.table import Progress
from tpsi_server.errors import OperatorError

#: Pictures in memory at once: decoding a large one takes half a gigabyte.
MAX_JOBS = 4
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Hashed:
    """One picture: its hash for the list, and a second one of another family, None if it has no such hash."""

    name: str
    item: ItemHash
    companion: ItemHash | None


@dataclass(frozen=True, slots=True)
class Refused:
    """One picture that has no hash, and why."""

    reason: str


def hash_pictures(
    folder: Path,
    label: str,
    companion: str | None,
    *,
    videos: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Iterator[Hashed | Refused]:
    """Hash all pictures of a folder and the folders below, in the order of their names; every scene of its `videos`.

    `companion`: the type of the second hash, which tells after a reveal whether a match of the first was forged.
    Raises OperatorError for a companion of the same type, CallerError for types that can't be computed, PictureError
    if the folder can't be listed.
    """
    if companion == label:
        raise OperatorError("the second hash is to be of another type than the first: see --companion")
    hasher(label)
    if companion is not None and companion not in RADII:
        raise OperatorError(f"a second hash is of the type {' or '.join(RADII)}, not {companion}: see --companion")
    unlisted: list[Refused] = []
    paths = list(scan(folder, videos=videos, unreadable=lambda error: unlisted.append(Refused(str(error)))))
    yield from unlisted
    remaining, done = iter(paths), 0
    with ThreadPoolExecutor(min(MAX_JOBS, os.cpu_count() or 1), "tpsi-pictures") as pool:
        while block := list(islice(remaining, _BLOCK)):
            for result in pool.map(lambda path: _hash(path, folder, label, companion), block):
                done += 1
                progress("hashing", done, len(paths))
                yield from result


def write_csv(stream: IO[str], label: str, pictures: Sequence[Hashed]) -> None:
    """Write a list that `list import` reads: a column of hashes, named by their type; then companion and name."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([label, "companion", "name"])
    for one in pictures:
        writer.writerow([one.item.digest.hex(), "" if one.companion is None else str(one.companion), one.name])


def _hash(path: Path, folder: Path, label: str, companion: str | None) -> list[Hashed | Refused]:
    where = path.relative_to(folder).parent
    found: list[Hashed | Refused] = []
    try:
        pictures = scenes(path) if is_video(path) and hasher(label).perceptual else [Picture.read(path)]
        found.extend(_hash_one(picture, str(where / picture.name), label, companion) for picture in pictures)
    except PictureError as error:
        found.append(Refused(str(error)))
    return found


def _hash_one(picture: Picture, name: str, label: str, companion: str | None) -> Hashed | Refused:
    try:
        return Hashed(printable(name), hasher(label).hash(picture), _companion(picture, companion))
    except PictureError as error:
        return Refused(str(error))


def _companion(picture: Picture, label: str | None) -> ItemHash | None:
    try:
        return None if label is None else second_hash(picture, label)
    except PictureError:
        return None
