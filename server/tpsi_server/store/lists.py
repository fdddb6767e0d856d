"""Hash lists in the store: which source names which hash, under which identifiers."""

import json
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from types import TracebackType
from typing import IO, Any, Self

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select

from tpsi import ItemHash
from tpsi.audit import ListSignature
from tpsi.table import canonical_items
from tpsi_server.lists import Addition, Deletion
from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.companions import list_changed
from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.schema import entries, imports, source_signatures, sources

#: Changes applied by one statement.
BATCH = 5000

Change = Addition | Deletion
#: A change in the spool: what it is, the hash (hex) and the provider's identifier.
_Spooled = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source of hashes: how many different ones it names; times in seconds since 1970."""

    name: str
    created: float
    items: int
    imports: int
    last_import: float | None


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import into a source; `report` is the import report's content."""

    source: str
    file: str
    format: str
    imported: float
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed: how many different hashes the source named before, and names now."""

    before: int
    after: int


class Spool:
    """The changes of one import, kept on the disk until all of the file was read without a fault.

    So a long import holds up nobody: the database is only locked while the changes are applied. Use it in a
    `with` block, or call `close`.
    """

    def __init__(self) -> None:
        # it has no name, so that nobody finds it
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (see close)

    def add(self, change: Change) -> None:
        """Take the next change."""
        kind = "+" if isinstance(change, Addition) else "-"
        item = "" if change.item is None else change.item.encode().hex()
        self._file.write(json.dumps([kind, item, change.entry or ""]) + "\n")

    def changes(self) -> Iterator[_Spooled]:
        """The changes, in order."""
        self._file.seek(0)
        return (tuple(json.loads(line)) for line in self._file)

    def close(self) -> None:
        """Drop the changes; closing again does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ListStore:
    """Sources and the hashes that they name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retrying
    def apply(
        self,
        source: str,
        spool: Spool,
        *,
        replace: bool,
        file: str,
        form: str,
        report: Mapping[str, Any],
        now: float,
        applied: Callable[[int], None] = lambda _count: None,
        signature: ListSignature | None = None,
    ) -> Imported:
        """Apply the changes of an import in order, in one transaction; with `replace`, to an empty source.

        `applied` is told how many have been. `signature`: the source's, under what it names afterwards; an earlier one
        is forgotten. VerificationError if it is not, and then nothing is changed.
        """
        with self._database.write() as connection:
            insert_new(connection, sources, [{"name": source, "created": to_stored(now)}])
            number = connection.execute(_locked(source)).scalar_one()
            before, done = _count_items(connection, number), 0
            if replace:
                connection.execute(delete(entries).where(entries.c.source == number))
            for kind, changes in groupby(spool.changes(), key=_kind_of):
                while batch := list(islice(changes, BATCH)):
                    _apply(connection, number, kind, batch)
                    done += len(batch)
                    applied(done)
            values = {"source": number, "file": file, "format": form, "imported": to_stored(now)}
            connection.execute(insert(imports).values(report=json.dumps(report), **values))
            _record_signature(connection, number, signature, to_stored(now))
            list_changed(connection)
            return Imported(before, _count_items(connection, number))

    @retrying
    def remove(self, source: str) -> bool:
        """Forget a source and all that it names; False if there is none of this name."""
        with self._database.write() as connection:
            removed = connection.execute(delete(sources).where(sources.c.name == source)).rowcount == 1
            list_changed(connection)
            return removed

    def sources(self) -> list[SourceRecord]:
        """All sources, by name."""
        counts = select(entries.c.source, func.count(entries.c.item.distinct()).label("named"))
        counted = counts.group_by(entries.c.source).subquery()
        runs = select(imports.c.source, func.count().label("runs"), func.max(imports.c.imported).label("last"))
        imported = runs.group_by(imports.c.source).subquery()
        joined = sources.outerjoin(counted, counted.c.source == sources.c.id).outerjoin(
            imported, imported.c.source == sources.c.id
        )
        chosen = select(sources.c.name, sources.c.created, counted.c.named, imported.c.runs, imported.c.last)
        with self._database.read() as connection:
            rows = connection.execute(chosen.select_from(joined).order_by(sources.c.name)).all()
        return [
            SourceRecord(
                row.name, from_stored(row.created), row.named or 0, row.runs or 0, from_stored_or_none(row.last)
            )
            for row in rows
        ]

    def items(self, source: str) -> Iterator[ItemHash]:
        """The different hashes that a source names."""
        return self._items(source)

    def _items(self, source: str) -> Generator[ItemHash]:
        wanted = entries.c.source == select(sources.c.id).where(sources.c.name == source).scalar_subquery()
        chosen = select(entries.c.item).distinct().where(wanted).execution_options(yield_per=BATCH)
        with self._database.read() as connection, connection.execute(chosen) as rows:
            for block in rows.scalars().partitions():
                yield from map(ItemHash.decode, block)

    @contextmanager
    def all_items(self, names: Iterable[str]) -> Iterator[dict[str, Iterator[ItemHash]]]:
        """The hashes of some sources, by name. What was not read to its end is let go of, while the store is open."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(closing(self._items(name))) for name in names}

    def signatures(self) -> dict[str, tuple[ListSignature, bytes]]:
        """The sources' signatures under their lists, with the lists' digests, by the names of the sources."""
        joined = source_signatures.join(sources, source_signatures.c.source == sources.c.id)
        items = select(func.count(entries.c.item.distinct())).where(entries.c.source == sources.c.id).scalar_subquery()
        chosen = select(source_signatures, sources.c.name, items.label("items")).select_from(joined)
        with self._database.read() as connection:
            return {
                row.name: (ListSignature(row.key, row.items, row.signature), row.digest)
                for row in connection.execute(chosen)
            }

    def count(self, label: str) -> int:
        """How many different hashes of a type all sources name together."""
        prefix = bytes((len(label),)) + label.encode("ascii")
        ours = (entries.c.item >= prefix) & (entries.c.item < prefix[:-1] + bytes((prefix[-1] + 1,)))
        with self._database.read() as connection:
            return connection.execute(select(func.count(entries.c.item.distinct())).where(ours)).scalar_one()

    def imports(self, source: str | None = None) -> list[ImportRecord]:
        """The imports into one source or all, the oldest first."""
        joined = imports.join(sources, imports.c.source == sources.c.id)
        chosen = select(imports, sources.c.name).select_from(joined).order_by(imports.c.id)
        if source is not None:
            chosen = chosen.where(sources.c.name == source)
        with self._database.read() as connection:
            return [
                ImportRecord(row.name, row.file, row.format, from_stored(row.imported), json.loads(row.report))
                for row in connection.execute(chosen)
            ]


def _locked(source: str) -> Select[Any]:
    """The number of a source's row, which imports into it take in turn."""
    return select(sources.c.id).where(sources.c.name == source).with_for_update()


def _record_signature(connection: Connection, source: int, signature: ListSignature | None, now: int) -> None:
    """Keep the signature under what a source names now, if it is one; forget one under what it named before."""
    connection.execute(delete(source_signatures).where(source_signatures.c.source == source))
    if signature is None:
        return
    chosen = select(entries.c.item).distinct().where(entries.c.source == source)
    digest = signature.verify(canonical_items(map(ItemHash.decode, connection.execute(chosen).scalars())))
    row = {"source": source, "key": signature.key, "signature": signature.value, "digest": digest, "recorded": now}
    connection.execute(insert(source_signatures).values(row))


def _kind_of(change: _Spooled) -> str:
    """`+`, or `-` followed by what a deletion names."""
    kind, item, entry = change
    return kind if kind == "+" else f"-{'item' if item else ''}{'entry' if entry else ''}"


def _apply(connection: Connection, source: int, kind: str, changes: Iterable[_Spooled]) -> None:
    rows = [{"source": source, "item": bytes.fromhex(item), "entry": entry} for _, item, entry in changes]
    if kind == "+":
        insert_new(connection, entries, rows)
        return
    statement = delete(entries).where(entries.c.source == source)
    if kind != "-entry":
        statement = statement.where(entries.c.item == bindparam("old_item"))
    if kind == "-entry":
        statement = statement.where(entries.c.entry == bindparam("old_entry"))
    elif kind == "-itementry":  # under this identifier, or under none
        statement = statement.where(entries.c.entry.in_((bindparam("old_entry"), "")))
    old = [{"old_item": row["item"], "old_entry": row["entry"]} for row in rows]
    connection.execute(statement, old)


def _count_items(connection: Connection, source: int) -> int:
    distinct = func.count(entries.c.item.distinct())
    return int(connection.execute(select(distinct).where(entries.c.source == source)).scalar_one())
