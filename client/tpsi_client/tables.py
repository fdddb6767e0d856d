"""A table's files on the device: arriving in verified chunks, and read cell by cell for sealing."""

import logging
import os
import shutil
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tpsi import LookupTable, Manifest, SignedManifest
from tpsi.errors import DecodeError, VerificationError
from tpsi.groups import Rows
from tpsi.merkle import CHUNK_SIZE, DIGEST_SIZE, chunk_count, leaf_digest, root
from tpsi.signing import MAX_ENVELOPE
from tpsi_client.errors import DiskError, HomeError
from tpsi_client.files import disk, make_private_folder, read_at, read_bounded, sync_folder, write_whole
from tpsi_client.home import Home

_log = logging.getLogger(__name__)


class DamagedChunkError(VerificationError):
    """A chunk of the table is not the one that the manifest's digest tree names."""

    def __init__(self, number: int) -> None:
        super().__init__(f"chunk {number} of the table is damaged")
        self.number = number


@dataclass(frozen=True, slots=True)
class TableFolder:
    """`table/<manifest digest>/`: `manifest.json`, `leaves`, and `table.part` until `table.bin` is whole."""

    path: Path
    manifest: Manifest

    @classmethod
    def of(cls, home: Home, manifest: Manifest) -> "TableFolder":
        """Where the table of a manifest belongs in a device's folder."""
        return cls(home.table(manifest.digest), manifest)

    @classmethod
    def load(cls, home: Home, digest: bytes) -> "TableFolder":
        """The folder of an accepted manifest. Raises HomeError if it is missing or damaged."""
        path = home.table(digest)
        try:
            data = read_bounded(path / "manifest.json", MAX_ENVELOPE, "manifest of the table")
            manifest = SignedManifest.decode(data).manifest
        except (HomeError, DecodeError):
            manifest = None
        if manifest is None or manifest.digest != digest:
            raise HomeError(f"the list's manifest in {path} is missing or damaged; run: tpsi-device fetch")
        return cls(path, manifest)

    @property
    def table(self) -> Path:
        """The whole table."""
        return self.path / "table.bin"

    @property
    def part(self) -> Path:
        """What has arrived of the table so far."""
        return self.path / "table.part"

    @property
    def complete(self) -> bool:
        """Whether a table of the right length is there."""
        try:
            return self.table.stat().st_size == self.manifest.table_bytes
        except OSError:
            return False

    def save_manifest(self, envelope: bytes) -> None:
        """Keep the signed manifest beside its table."""
        make_private_folder(self.path)
        write_whole(self.path / "manifest.json", envelope)

    def leaves(self) -> list[bytes] | None:
        """The digest tree's leaves, if they are here and hash to the manifest's root."""
        try:
            return check_leaves(self.manifest, (self.path / "leaves").read_bytes())
        except (OSError, VerificationError):
            return None

    def save_leaves(self, data: bytes) -> list[bytes]:
        """Check and keep the leaves. Raises VerificationError if they are not the manifest's."""
        leaves = check_leaves(self.manifest, data)
        write_whole(self.path / "leaves", data)
        return leaves

    def require_room(self) -> None:
        """Raise DiskError, before a download begins, if the rest of it can't fit."""
        with disk(self.path, "look at"):
            there = self.part.stat().st_size if self.part.exists() else 0
            free = shutil.disk_usage(self.path).free
        needed = self.manifest.table_bytes - there
        if needed > free:
            raise DiskError(
                f"the table needs {needed} more octets, the disk of {self.path} has {free} free; "
                "make room and try again"
            )

    def finish(self) -> None:
        """Turn the arrived part into the table, durably."""
        with disk(self.path, "write"):
            descriptor = os.open(self.part, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.part.replace(self.table)
            sync_folder(self.path)

    def open(self) -> "TableFile":
        """Verify the whole file against the manifest (section 5, check 7) and open it for lookups.

        Raises HomeError if the table is missing, of the wrong length, or damaged; DiskError.
        """
        self._verify()
        return TableFile.of(self.table, self.manifest)

    def cells(self) -> Rows:
        """All cells, verified as by `open`, and mapped."""
        self._verify()
        shape = self.manifest.geometry.cells, self.manifest.group.element_size
        with disk(self.table, "read"):
            return np.memmap(self.table, np.uint8, "r", shape=shape)

    def _verify(self) -> None:
        if not self.complete:
            raise HomeError("the table is not here, or not whole; run: tpsi-device fetch")
        with disk(self.table, "read"), self.table.open("rb") as stream:
            leaves = [leaf_digest(chunk) for chunk in iter(lambda: stream.read(CHUNK_SIZE), b"")]
        if root(leaves) != self.manifest.root:
            self.discard()
            raise HomeError(f"the table in {self.path} was damaged and is discarded; run: tpsi-device fetch")

    def discard(self) -> None:
        """Take a damaged table for what has arrived so far: a fetch keeps its good beginning."""
        with disk(self.table, "rename"):
            self.table.replace(self.part)


def check_leaves(manifest: Manifest, data: bytes) -> list[bytes]:
    """The leaves in `data`. Raises VerificationError unless they are as many as the table has chunks, with its root."""
    leaves = [data[start : start + DIGEST_SIZE] for start in range(0, len(data), DIGEST_SIZE)]
    if len(data) != DIGEST_SIZE * chunk_count(manifest.table_bytes) or root(leaves) != manifest.root:
        raise VerificationError("the digests of the table's chunks are not those that the signed manifest stands for")
    return leaves


def prune(home: Home, keep: bytes) -> None:
    """Remove the tables of all other manifests; what can't be removed stays, and does no harm."""
    for folder in home.tables.iterdir() if home.tables.is_dir() else ():
        if folder.name != keep.hex():
            shutil.rmtree(folder, ignore_errors=True)


class PartFile:
    """A table file while it arrives, at any offset: every chunk is verified when its last octet is there.

    A context manager. `offset` is how many octets are here and need not be asked for again; `received` how many
    were appended.
    """

    def __init__(self, folder: TableFolder, leaves: Sequence[bytes]) -> None:
        """Open what is there; chunks that are damaged, and all that follows them, are cut off."""
        self._path, self._leaves = folder.part, leaves
        self._size = folder.manifest.table_bytes
        with disk(self._path, "open"):
            self._path.touch(0o600)
            self._file = self._path.open("r+b")
        self._tail = bytearray()  # the beginning of the chunk that is not whole yet
        self.offset = self.received = 0
        with disk(self._path, "read"):
            self._resume()

    def __enter__(self) -> "PartFile":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # whole chunks are written out already; the rest is fetched again
            self._file.close()

    @property
    def whole(self) -> bool:
        """Whether every chunk is here and verified."""
        return self.offset == self._size

    @property
    def room(self) -> int:
        """How many octets the chunk at `offset` still lacks."""
        return min(CHUNK_SIZE - len(self._tail), self._size - self.offset)

    def append(self, data: bytes) -> None:
        """Add the octets at `offset`, at most `room` of them.

        Raises DamagedChunkError if they complete a chunk that is not the right one; it is cut off again. DiskError.
        """
        with disk(self._path, "write"):
            self._file.write(data)
            self._tail += data
            self.offset += len(data)
            self.received += len(data)
            if self.room == 0:
                self._close_chunk()

    def _close_chunk(self) -> None:
        number = (self.offset - 1) // CHUNK_SIZE
        sound = leaf_digest(bytes(self._tail)) == self._leaves[number]
        self._tail.clear()
        if sound:
            self._file.flush()
            return
        self._cut(number * CHUNK_SIZE)
        raise DamagedChunkError(number)

    def _resume(self) -> None:
        if self._path.stat().st_size > self._size:
            self._file.truncate(self._size)
        while chunk := self._file.read(CHUNK_SIZE):
            end = self.offset + len(chunk)
            if end < self._size and len(chunk) < CHUNK_SIZE:
                self._tail += chunk
            elif leaf_digest(chunk) != self._leaves[self.offset // CHUNK_SIZE]:
                self._cut(self.offset)
                return
            self.offset = end

    def _cut(self, size: int) -> None:
        self._file.flush()
        self._file.truncate(size)
        self._file.seek(size)
        self.offset = min(self.offset, size)


class _OpenFile:
    """A file open for reading, for as long as anybody has this; `number` is its descriptor."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self.number)


@dataclass(frozen=True, slots=True, eq=False)
class TableFile(LookupTable):
    """A verified table in its file, of which sealing reads three cells an item.

    It is not mapped: a system may map a megabyte for each cell, and memory is to stay flat whatever the table's size;
    and who reads a mapped file that another program cuts off is killed.
    """

    path: Path
    _file: _OpenFile

    @classmethod
    def of(cls, path: Path, manifest: Manifest) -> "TableFile":
        """The table of a manifest. Raises DiskError."""
        with disk(path, "open"):
            file = _OpenFile(path)
        return cls(manifest.group, manifest.geometry, manifest.seed, path, file)

    def cells_at(self, positions: NDArray[np.integer]) -> Rows:
        """See `LookupTable.cells_at`. Raises HomeError if the file was cut off, DiskError."""
        size = self.group.element_size
        with disk(self.path, "read"):
            octets = b"".join([read_at(self._file.number, size, size * place) for place in positions.tolist()])
        if len(octets) != size * len(positions):
            raise HomeError(f"the table in {self.path} was cut off; run: tpsi-device fetch")
        return np.frombuffer(octets, np.uint8).reshape(-1, size)
