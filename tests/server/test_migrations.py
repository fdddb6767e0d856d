"""Migrations: every way to this schema ends in the same one, and what is not known is refused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tpsi import Secret
from tpsi.log import Notice, RevealEntry
from tpsi.log.notice import voucher_digest
from tpsi_server import Store, StoreError
from tpsi_server.store import Database, Location, migrations
from tpsi_server.store.migrations import VERSION_TABLE, steps
from tpsi_server.store.schema import REVISION, metadata


@pytest.fixture
def database(location: Location) -> Iterator[Database]:
    """A new database of either engine."""
    made = Database.create(location)
    yield made
    made.close()


def structure(connection: Connection) -> dict[str, object]:
    """All that the database itself says of its tables."""
    found = inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(str(sorted(key["column_names"])) for key in found.get_unique_constraints(name)),
            sorted(
                str((k["constrained_columns"], k["referred_table"], k["options"])) for k in found.get_foreign_keys(name)
            ),
            sorted(str((i["name"], i["column_names"], i["unique"])) for i in found.get_indexes(name)),
        )
        for name in sorted(found.get_table_names())
    }


def set_revision(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :it"), {"it": revision})


def test_the_newest_revision_is_the_one_that_the_schema_names() -> None:
    assert steps.head() == REVISION


def test_migrated_from_nothing_the_schema_is_the_one_that_new_databases_get(database: Database) -> None:
    with database.write() as connection:
        made = structure(connection)
        metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        steps.run(connection, VERSION_TABLE)
        assert structure(connection) == made
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        assert migrations.current(connection) == REVISION


def test_partial_indices_are_those_of_the_schema(database: Database) -> None:
    definitions = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%' ORDER BY name",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%WHERE%' ORDER BY indexname",
    }
    with database.write() as connection:
        chosen = definitions[connection.dialect.name]
        made = connection.execute(text(chosen)).scalars().all()
        metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        steps.run(connection, VERSION_TABLE)
        migrated = connection.execute(text(chosen)).scalars().all()
    assert len(made) >= 3
    assert migrated == made


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    set_revision(database, "r9999")
    database.close()
    with pytest.raises(StoreError, match="update tpsi-server"):
        Store.open(database.location)
    with pytest.raises(StoreError, match="update tpsi-server"):
        Database.migrate(database.location)


def test_a_database_of_an_older_version_is_to_be_migrated(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.close()
    monkeypatch.setattr(migrations, "REVISION", "r9999")
    with pytest.raises(StoreError, match="tpsi-server database migrate"):
        Store.open(database.location)


def test_a_database_of_the_newest_revision_is_left_as_it_is(database: Database) -> None:
    database.close()
    assert Database.migrate(database.location) == (REVISION, REVISION)
    assert Database.revisions(database.location) == (REVISION, REVISION)


def test_a_database_is_not_made_twice(database: Database) -> None:
    database.close()
    with pytest.raises(StoreError, match="already"):
        Store.create(database.location)
    Store.open(database.location).close()


def test_a_foreign_database_is_neither_opened_nor_migrated(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    connection.close()
    for attempt in (Store.open, Database.migrate):
        with pytest.raises(StoreError, match="not one of tpsi-server"):
            attempt(tmp_path / "other")


def test_a_step_that_fails_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Connection, version_table: str) -> None:
        connection.execute(text("CREATE TABLE half_done (number INTEGER)"))
        raise StoreError("a step failed")

    monkeypatch.setattr(steps, "run", fail)
    with pytest.raises(StoreError, match="a step failed"):
        Database.migrate(database.location)
    with database.read() as connection:
        assert not inspect(connection).has_table("half_done")


def test_commitments_of_before_there_were_batches_are_batches_of_one(database: Database) -> None:
    opening, notice = Secret(bytes(range(32))), Notice("alice", bytes(16), 7, 1000, 1, voucher_digest([b"v" * 16]))
    entry = RevealEntry(1000, notice.commitment(opening))
    with database.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        steps.run(connection, VERSION_TABLE, "r0004")
        put = "INSERT INTO log_entries VALUES (0, 'reveal', :entry, :leaf)"
        connection.execute(text(put), {"entry": entry.encoded, "leaf": entry.leaf})
        put = "INSERT INTO log_notices VALUES (0, 'alice', :notice, :opening, 5, 0)"
        connection.execute(text(put), {"notice": notice.encoded, "opening": opening.reveal()})
        connection.execute(text("INSERT INTO log_notice_vouchers VALUES (0, :it)"), {"it": b"v" * 16})
    database.close()
    assert Database.migrate(database.location) == ("r0004", REVISION)
    with Store.open(database.location) as store:
        (record,) = store.log.notices()
        assert record.disclosure.verify(entry) == notice
        assert record.voucher_ids == (b"v" * 16,)
        assert store.log.disclosures("alice") == [record.disclosure]
