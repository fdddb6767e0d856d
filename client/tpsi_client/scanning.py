"""Scanning a folder: every picture that was not sealed yet is hashed, sealed and queued."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from tpsi import Item, Kind, SealedBatch
from tpsi.pictures import PictureError, scan
from tpsi.pictures.errors import printable
from tpsi_client.examining import Examined, Stamp, examine, items_of, preview_room
from tpsi_client.fetching import Progress
from tpsi_client.originals import Originals
from tpsi_client.sealer import Sealer
from tpsi_client.state import FileMark, FileMarks, State

#: Pictures sealed in one transaction; fewer if their whole content has to be held for encrypted originals.
BLOCK, BLOCK_OF_ORIGINALS = 64, 8
#: Decoding a large photograph takes up to half a gigabyte, so not every core of a large machine gets one.
MAX_JOBS = 4
#: Reasons are kept for this many files; more than that nobody reads.
MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found and did.

    `pictures`: files looked at; `unchanged`: of those, sealed by an earlier scan; `sealed`: sealed now, with
    `vouchers` vouchers, of which `repeated` are null ones, for hashes that were sealed before. `unusable` says why
    files gave no voucher, `partial` why some gave fewer than they could have; at most MAX_LISTED lines each.
    """

    pictures: int
    unchanged: int
    sealed: int
    vouchers: int
    repeated: int
    unusable_count: int
    unusable: tuple[str, ...]
    partial: tuple[str, ...]
    originals: int


@dataclass
class _Tally:
    pictures: int = 0
    unchanged: int = 0
    sealed: int = 0
    vouchers: int = 0
    repeated: int = 0
    unusable_count: int = 0
    unusable: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        self.unusable_count += 1
        if len(self.unusable) < MAX_LISTED:
            self.unusable.append(reason)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A file to be read: its stamp, and the aspects under which it was not sealed as it is, with their old marks."""

    path: Path
    stamp: Stamp
    marks: dict[str, FileMark | None]
    tags: dict[str, bytes]


Stop: TypeAlias = Callable[[], bool]


class Scanner:
    """Seals the pictures of folders under one sealer. `stop` is asked now and then whether to end early."""

    def __init__(
        self,
        sealer: Sealer,
        state: State,
        aspects: Sequence[str],
        size_class: int,
        *,
        originals: Originals | None = None,
        progress: Progress,
        stop: Stop = lambda: False,
    ) -> None:
        self._sealer, self._state, self._aspects, self._size_class = sealer, state, aspects, size_class
        self._originals, self._progress, self._stop = originals, progress, stop
        self._tally = _Tally()
        self._total = 0

    def folder(self, folder: Path, *, videos: bool = False) -> ScanReport:
        """Scan a folder and all below it, `videos` too. Raises PictureError if it can't be listed; DiskError."""
        self._total = sum(1 for _ in scan(folder, videos=videos))
        return self.files(scan(folder, videos=videos, unreadable=lambda error: self._tally.refuse(str(error))))

    def files(self, paths: Iterable[Path]) -> ScanReport:
        """Scan these files. What was stored before an error or a stop is not done again next time."""
        tally, remaining = self._tally, iter(paths)
        with _threads() as pool:
            while not self._stop() and (block := list(islice(remaining, self._block))):
                self._seal(pool, block)
        written = self._originals.written if self._originals else 0
        return ScanReport(
            tally.pictures,
            tally.unchanged,
            tally.sealed,
            tally.vouchers,
            tally.repeated,
            tally.unusable_count,
            tuple(tally.unusable),
            tuple(tally.partial),
            written,
        )

    @property
    def _block(self) -> int:
        return BLOCK_OF_ORIGINALS if self._originals else BLOCK

    def _seal(self, pool: ThreadPoolExecutor, paths: Sequence[Path]) -> None:
        items: list[Item] = []
        contents: list[bytes | None] = []
        marks: dict[bytes, FileMark] = {}
        pending = self._pending(paths)
        for one, examined in zip(pending, pool.map(self._examine, pending), strict=True):
            self._count()
            if isinstance(examined, PictureError):
                self._tally.refuse(str(examined))
                continue
            made, fresh_marks = self._assess(one, examined)
            marks.update(fresh_marks)
            items += made
            contents += [examined.content] * len(made)
        if items or marks:
            self._store(items, contents, marks)

    def _store(self, items: list[Item], contents: list[bytes | None], marks: FileMarks) -> None:
        def write_originals(sealed: SealedBatch) -> None:
            if self._originals is not None:
                self._originals.write(sealed, items, contents)

        sealed = self._sealer.seal(items, queue=True, files=marks, first=write_originals)
        self._tally.vouchers += len(sealed.vouchers)
        self._tally.repeated += sum(voucher.kind is Kind.NULL for voucher in sealed.vouchers)

    def _pending(self, paths: Sequence[Path]) -> list[_Pending]:
        """The files of a block that have to be read; the others are counted."""
        stamped: list[tuple[Path, Stamp, dict[str, bytes]]] = []
        for path in paths:
            try:
                stamp = Stamp.of(path)
            except PictureError as error:
                self._count()
                self._tally.refuse(str(error))
                continue
            name = os.fsencode(os.path.abspath(path))
            stamped.append((path, stamp, {label: self._sealer.path_tag(label, name) for label in self._aspects}))
        marks = self._state.memory.files([tag for _, _, tags in stamped for tag in tags.values()])
        pending: list[_Pending] = []
        for path, stamp, tags in stamped:
            old = {label: marks.get(tag) for label, tag in tags.items()}
            due = {label: mark for label, mark in old.items() if not _as_before(mark, stamp)}
            if due:
                pending.append(_Pending(path, stamp, due, tags))
            else:
                self._count()
                self._tally.unchanged += 1
        return pending

    def _examine(self, pending: _Pending) -> Examined | PictureError:
        try:
            return examine(
                pending.path,
                tuple(pending.marks),
                self._sealer.manifest.probes.per_item,
                preview_room(self._size_class),
                self._originals is not None,
            )
        except PictureError as error:
            return error

    def _assess(self, pending: _Pending, examined: Examined) -> tuple[list[Item], dict[bytes, FileMark]]:
        """The items to seal for a file that was read, and its new marks."""
        tally, content = self._tally, self._sealer.content_tag(examined.content_digest)
        touched = {label for label, mark in pending.marks.items() if mark and mark.content_tag == content}
        due = [label for label in pending.marks if label in examined.views and label not in touched]
        mark = FileMark(content, pending.stamp.size, pending.stamp.modified)
        marks = {pending.tags[label]: mark for label in (*touched, *due)}
        if not due:
            if touched:
                tally.unchanged += 1
            else:
                tally.refuse("; ".join(examined.problems))
            return [], marks
        tally.sealed += 1
        problems = [text.removesuffix("; skipped") for text in examined.problems]
        if self._originals is not None and examined.content is None:
            problems.append(f"{printable(pending.path.name)}: too large for an encrypted original")
        tally.partial += problems[: MAX_LISTED - len(tally.partial)]
        return items_of(examined, due, self._size_class), marks

    def _count(self) -> None:
        self._tally.pictures += 1
        self._progress("sealing pictures", self._tally.pictures, self._total)


def _as_before(mark: FileMark | None, stamp: Stamp) -> bool:
    return mark is not None and (mark.size, mark.modified) == (stamp.size, stamp.modified)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for decoding (which releases the interpreter); at an error, what they have not begun is dropped."""
    pool = ThreadPoolExecutor(min(MAX_JOBS, os.cpu_count() or 1), "tpsi-pictures")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
