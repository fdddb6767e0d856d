"""What a device remembers of the items that it has sealed (specification, section 7.6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from tpsi_client.state.database import Database
from tpsi_client.state.schema import file, memory

_STEP = 400


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file as it was when it was sealed: while size and time of change stay, it is not even read again.

    `content_tag` is a keyed digest of its content; `modified` is in nanoseconds since 1970.
    """

    content_tag: bytes
    size: int
    modified: int


#: File marks by the keyed digest of hash type and path.
FileMarks: TypeAlias = Mapping[bytes, FileMark]


class Memory:
    """Reading the memory of one device. Writing happens in the transaction that stores the vouchers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, tags: Sequence[bytes]) -> set[bytes]:
        """Those of the tags that are remembered."""
        found: set[bytes] = set()
        with self._database.transaction() as connection:
            for start in range(0, len(tags), _STEP):
                query = select(memory.c.tag).where(memory.c.tag.in_(tags[start : start + _STEP]))
                found.update(connection.scalars(query))
        return found

    def files(self, path_tags: Sequence[bytes]) -> dict[bytes, FileMark]:
        """The marks of those of the paths that have one."""
        found: dict[bytes, FileMark] = {}
        with self._database.transaction() as connection:
            for start in range(0, len(path_tags), _STEP):
                query = select(file).where(file.c.path_tag.in_(path_tags[start : start + _STEP]))
                for row in connection.execute(query):
                    found[row.path_tag] = FileMark(row.content_tag, row.size, row.modified)
        return found

    def size(self) -> int:
        """How many tags are remembered, of all generations."""
        with self._database.transaction() as connection:
            return connection.execute(select(func.count()).select_from(memory)).scalar_one()


def remember(connection: Connection, tags: Iterable[bytes]) -> None:
    """Remember tags, within the caller's transaction; those that are known already stay."""
    values = [{"tag": tag} for tag in tags]
    if values:
        connection.execute(insert(memory).on_conflict_do_nothing(), values)


def mark_files(connection: Connection, marks: FileMarks) -> None:
    """Note how files looked, within the caller's transaction."""
    values = [
        {"path_tag": tag, "content_tag": mark.content_tag, "size": mark.size, "modified": mark.modified}
        for tag, mark in marks.items()
    ]
    if values:
        statement = insert(file)
        changed = {name: statement.excluded[name] for name in ("content_tag", "size", "modified")}
        connection.execute(statement.on_conflict_do_update(index_elements=["path_tag"], set_=changed), values)


def forget_files(connection: Connection) -> None:
    """Forget how files looked, so that all are read again. Memory tags are never forgotten."""
    connection.execute(delete(file))
