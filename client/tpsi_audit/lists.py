"""Hash lists in files, as an auditor holds them: lines of `type:hex`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from tpsi.audit.package import MAX_LINE, from_lines
from tpsi.items import ItemHash
from tpsi.table import PackedItems, canonical_items
from tpsi_audit.errors import AuditorError

#: Octets of a line that are read before it is refused: a comment may be longer than a hash.
_LONGEST = 16 * MAX_LINE
#: Differences between two lists that are named one by one.
SHOWN = 5


def read_list(paths: Sequence[Path], told: Callable[[str, int, int], None] = lambda *_: None) -> PackedItems:
    """The hashes of some files together, each once. Raises AuditorError if one can't be read, DecodeError."""
    total, done = sum(map(_size, paths)), 0

    def items() -> Iterator[ItemHash]:
        nonlocal done
        for path in paths:
            with _opened(path) as lines:
                for count, item in enumerate(from_lines(lines, path.name)):
                    if count % 8192 == 0:
                        told("reading lists", done + lines.tell(), total)
                    yield item
            done += _size(path)

    return canonical_items(items())


def difference(ours: PackedItems, theirs: PackedItems) -> tuple[list[str], list[str]]:
    """Hashes that only we have, and hashes that only they have: the first few of each."""
    only_ours: list[str] = []
    only_theirs: list[str] = []
    left, right = iter(ours), iter(theirs)
    one, other = next(left, None), next(right, None)
    while (one is not None or other is not None) and min(len(only_ours), len(only_theirs)) < SHOWN:
        if one == other:
            one, other = next(left, None), next(right, None)
        elif other is None or (one is not None and one < other):
            only_ours.append(str(ItemHash.decode(one or b"")))
            one = next(left, None)
        else:
            only_theirs.append(str(ItemHash.decode(other)))
            other = next(right, None)
    return only_ours[:SHOWN], only_theirs[:SHOWN]


def together(items: PackedItems, more: Iterable[ItemHash]) -> PackedItems:
    """The items and some more, each once."""
    return canonical_items(chain(map(ItemHash.decode, items), more))


def without(items: PackedItems, gone: Iterable[ItemHash]) -> PackedItems:
    """The items but for some."""
    places = (items.find(item.encode()) for item in gone)
    return items.without([place for place in places if place is not None])


class _opened:  # noqa: N801 (used as a function is)
    """A file's lines, none of them endless."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_opened":
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise AuditorError(f"{self._path} can't be read: {error.strerror or error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        while line := self._file.readline(_LONGEST):
            yield line

    def tell(self) -> int:
        """Octets read so far."""
        return self._file.tell()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise AuditorError(f"{path} can't be read: {error.strerror or error}") from None
