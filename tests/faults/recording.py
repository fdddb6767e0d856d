"""A file system of SQLite that writes down what is done to it, and what is left of that after a power cut.

The store runs on it as it is: its statements go through SQLAlchemy to another build of SQLite (`apsw`), whose
file system layer is ours. Python's own `sqlite3` offers no such layer.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_WITH_FOLDER = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that was done to a file: `write` at an offset, `truncate` to a size, `sync`, `delete`; or to the
    `folder`, which was synchronised; or a `mark`.
    """

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass
class Recording:
    """The operations of a run, in order."""

    operations: list[Operation] = field(default_factory=list)

    def mark(self, data: bytes) -> None:
        """Write down that something was promised at this point."""
        self.operations.append(Operation("mark", data=data))

    def after_power_cut(self, count: int, rng: random.Random) -> tuple[dict[str, bytes], list[bytes]]:
        """The files that a power cut after some operations may leave, and the marks until then.

        What was synchronised is there. Of the other writes any may be there or not, whole or torn between sectors.
        """
        durable: dict[str, bytearray] = {}
        pending: dict[str, list[Operation]] = {}
        marks: list[bytes] = []
        for operation in self.operations[:count]:
            if operation.kind == "mark":
                marks.append(operation.data)
            elif operation.kind == "sync":
                _apply(durable, pending.pop(operation.file, []))
            elif operation.kind == "folder":
                for name in [name for name, todo in pending.items() if todo[-1].kind == "delete"]:
                    _apply(durable, pending.pop(name))
            else:
                pending.setdefault(operation.file, []).append(operation)
        for operations in pending.values():
            _apply(durable, _survivors(operations, rng))
        return {name: bytes(content) for name, content in durable.items()}, marks


def _survivors(operations: Sequence[Operation], rng: random.Random) -> Iterator[Operation]:
    """What a disk with a cache may have written of what it was not told to keep."""
    share = rng.choice((0.0, 0.5, 1.0))
    for operation in operations:
        if rng.random() < share:
            torn = operation.kind == "write" and rng.random() < 0.2
            length = SECTOR * rng.randrange(len(operation.data) // SECTOR + 1) if torn else len(operation.data)
            yield Operation(operation.kind, operation.file, operation.offset, operation.data[:length])


def _apply(files: dict[str, bytearray], operations: Iterable[Operation]) -> None:
    for operation in operations:
        if operation.kind == "delete":
            files.pop(operation.file, None)
            continue
        content = files.setdefault(operation.file, bytearray())
        if operation.kind == "truncate":
            del content[operation.offset :]
        else:
            content.extend(bytes(max(0, operation.offset - len(content))))
            content[operation.offset : operation.offset + len(operation.data)] = operation.data


class RecordingSystem(apsw.VFS):
    """The file system."""

    def __init__(self, name: str, recording: Recording) -> None:
        self.recording = recording
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """Open a file."""
        return _File(name, flags, self.recording)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Delete a file."""
        super().xDelete(filename, syncdir)
        self.recording.operations.append(Operation("delete", Path(filename).name))
        if syncdir:
            self.recording.operations.append(Operation("folder"))


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], recording: Recording) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "temporary").name
        self._recording = recording
        # SQLite synchronises the folder of a new journal or log with the file's first synchronisation
        self._is_new = path is not None and flags[0] & _WITH_FOLDER != 0 and not Path(path).exists()
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._recording.operations.append(Operation("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._recording.operations.append(Operation("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._recording.operations.append(Operation("sync", self._name))
        if self._is_new:
            self._recording.operations.append(Operation("folder"))
            self._is_new = False
