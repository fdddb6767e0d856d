"""Copying a store into another database, of either engine: all of it or nothing, compared row by row."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from tpsi_server.errors import StoreError
from tpsi_server.store.database import Database
from tpsi_server.store.location import Location, describe
from tpsi_server.store.schema import metadata

#: Rows and octets of them that are inserted together.
ROWS, OCTETS = 1000, 8 << 20
#: Told the table that is copied, how many of its rows are done, and of how many.
Report = Callable[[str, int, int], None]


def copy_store(
    source: Location, target: Location, report: Report = lambda _table, _done, _total: None
) -> dict[str, int]:
    """Copy a store into an empty database; the number of rows of every table.

    One transaction: if it is interrupted, nothing is there. Before it is committed both sides are read and their rows
    compared. What is copied is one state of the source, whatever is written to it meanwhile. Raises StoreError if the
    target holds a store already.
    """
    database = Database(source)
    try:
        with database.read() as reading:
            counts: dict[str, int] = {}

            def fill(writing: Connection) -> None:
                for table in metadata.sorted_tables:
                    counts[table.name] = _copy(table, reading, writing, report)
                _check(reading, writing, describe(target))
                _go_on_counting(writing)

            Database.create(target, fill).close()
            return counts
    finally:
        database.close()


def _copy(table: Table, reading: Connection, writing: Connection, report: Report) -> int:
    total = reading.execute(select(func.count()).select_from(table)).scalar_one()
    done = 0
    for block in _blocks(reading, table):
        writing.execute(insert(table), block)
        done += len(block)
        report(table.name, done, total)
    return done


def _blocks(reading: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table, as many together as fit."""
    block: list[dict[str, Any]] = []
    octets = 0
    with reading.execute(select(table).execution_options(yield_per=ROWS)) as rows:
        for row in rows.mappings():
            block.append(dict(row))
            octets += sum(len(value) for value in row.values() if isinstance(value, bytes | str))
            if len(block) == ROWS or octets >= OCTETS:
                yield block
                block, octets = [], 0
    if block:
        yield block


def _check(reading: Connection, writing: Connection, where: str) -> None:
    """StoreError unless every table has the same rows on both sides."""
    for table in metadata.sorted_tables:
        if fingerprint(reading, table) != fingerprint(writing, table):
            raise StoreError(f"the rows of {table.name} in {where} are not those that were copied: nothing was kept")


def fingerprint(connection: Connection, table: Table) -> tuple[int, int]:
    """The number of rows and a sum of their digests, which does not depend on their order."""
    count, total = 0, 0
    with connection.execute(select(table).execution_options(yield_per=ROWS)) as rows:
        for row in rows:
            count += 1
            total += int.from_bytes(hashlib.sha256(_encoded(tuple(row))).digest(), "big")
    return count, total % 2**256


def _encoded(row: Sequence[object]) -> bytes:
    """A row as octets; rows that differ differ in them."""
    return repr([bytes(value) if isinstance(value, memoryview) else value for value in row]).encode()


def _go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that were copied; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        for column in table.primary_key:
            counter = text("SELECT pg_get_serial_sequence(:table, :column)")
            name = connection.execute(counter, {"table": table.name, "column": column.name}).scalar()
            last = None if name is None else connection.execute(select(func.max(column))).scalar()
            if last is not None:
                connection.execute(text("SELECT setval(:name, :last)"), {"name": name, "last": last})
