"""Copying a store from one engine to the other: every row, or nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.engine import URL

from tests.server.command import Run, parsed
from tests.server.site import Site, revealed, vouchers
from tests.support.postgres import PostgresServer
from tests.support.server_data import PASSPHRASE
from tpsi_server import DataFolder, Runtime, Store, StoreError
from tpsi_server.store import Database, copying, describe
from tpsi_server.store.copying import Report, copy_store, fingerprint
from tpsi_server.store.schema import metadata


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[URL]:
    """An empty database."""
    with postgres.database() as made:
        yield made


@pytest.fixture
def full(site: Site) -> Site:
    """A server with something in every state: revealed, unmatched, waiting, set aside."""
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, [*range(5), *range(100, 110)]))
        runtime.match_all()
        runtime.ingest.ingest("alice", vouchers(runtime, range(200, 203), seed="more"))
        for _ in range(6):
            runtime.store.matches.claim(1, 1, -1.0, 1.0)
        assert runtime.store.vouchers.count_failed() > 0
    return site


def contents(where: Any) -> dict[str, list[tuple[Any, ...]]]:
    database = Database(where)
    with database.read() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    database.close()
    return found


def test_a_copy_holds_the_same_rows(full: Site, url: URL, tmp_path: Path) -> None:
    counts = copy_store(full.folder.database, url)
    assert counts["vouchers"] == 18
    before = contents(full.folder.database)
    assert contents(url) == before
    assert {name: len(rows) for name, rows in before.items()} == counts
    copy_store(url, tmp_path / "back")
    assert contents(tmp_path / "back") == before


def test_a_server_goes_on_with_the_copy(full: Site, url: URL) -> None:
    copy_store(full.folder.location, url)
    full.folder.use_database(url)
    full.folder.database.unlink()
    with Runtime(DataFolder.at(full.folder.path), PASSPHRASE, workers=0) as runtime:
        assert revealed(runtime) == {b"0", b"1", b"2", b"3", b"4"}
        runtime.accounts.create("bob")  # rows are numbered after those that were copied
        runtime.ingest.ingest("bob", vouchers(runtime, range(3), "bob"))
        runtime.match_all()
        runtime.store.matches.retry_failed()
        runtime.match_all()
        assert (runtime.status().vouchers_waiting, runtime.status().vouchers_failed) == (0, 0)
        assert runtime.store.check() == []


def test_a_copy_is_one_state_of_a_database_that_is_written_to(full: Site, url: URL, tmp_path: Path) -> None:
    def write(to: Store) -> Report:
        names = iter(range(1000))

        def report(_table: str, _done: int, _total: int) -> None:
            assert to.accounts.add(f"another {next(names)}", 1.0)

        return report

    before = contents(full.folder.database)
    with full.store() as store:
        copy_store(full.folder.database, url, write(store))
        assert store.accounts.count() > 3
    assert contents(url) == before
    with Store.open(url) as store:
        copy_store(url, tmp_path / "back", write(store))
    assert contents(tmp_path / "back") == before


def test_a_target_that_is_in_use_is_refused(full: Site, url: URL) -> None:
    Store.create(url).close()
    before = contents(url)
    with pytest.raises(StoreError, match="already"):
        copy_store(full.folder.database, url)
    assert contents(url) == before
    with pytest.raises(StoreError, match="already"):
        copy_store(full.folder.database, full.folder.database)


def test_an_interrupted_copy_leaves_nothing_and_can_be_made_again(
    full: Site, url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(table: str, _done: int, _total: int) -> None:
        if table == "vouchers":
            raise KeyboardInterrupt

    for target in (url, tmp_path / "copy"):
        with pytest.raises(KeyboardInterrupt):
            copy_store(full.folder.database, target, stop)
        with pytest.raises(StoreError):
            Database(target)
    assert not (tmp_path / "copy").exists()
    copy_store(full.folder.database, url)


def test_a_copy_that_differs_is_not_kept(full: Site, url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copying._copy

    def wrong(table: Table, reading: Connection, writing: Connection, report: Any) -> int:
        count = copy(table, reading, writing, report)
        if table.name == "accounts":
            writing.execute(update(table).values(created=table.c.created + 1))
        return count

    monkeypatch.setattr(copying, "_copy", wrong)
    with pytest.raises(StoreError, match=r"accounts.*not those that were copied"):
        copy_store(full.folder.database, url)
    with pytest.raises(StoreError, match="not one of tpsi-server"):
        Database(url)


def test_a_fingerprint_tells_rows_apart_whatever_their_order(tmp_path: Path) -> None:
    table = metadata.tables["sources"]
    database = Database.create(tmp_path / "one")
    prints = []
    for rows in ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], [(1, "b"), (2, "a")], [(1, "a"), (2, "b"), (3, "c")]):
        with database.write() as connection:
            connection.execute(table.delete())
            connection.execute(insert(table), [{"id": number, "name": name, "created": 5} for number, name in rows])
            prints.append(fingerprint(connection, table))
    database.close()
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_the_command_copies_and_switches(run: Run, full: Site, url: URL) -> None:
    text = url.render_as_string(hide_password=False)
    assert parsed(run("database", "copy", "--to", text, "--json"))["rows"]["vouchers"] == 18
    status, _, err = run("database", "copy", "--to", text)
    assert (status, "already" in err) == (1, True)
    assert run("database", "use", text)[0] == 0
    assert json.loads(full.folder.server_file.read_text())["database"] == describe(url)
    assert parsed(run("database", "status", "--json"))["database"] == describe(url)
    assert len(parsed(run("reveal", "show", "alice", "--json"))) == 5
    assert run("database", "use", str(full.folder.database))[0] == 0
    assert "database" not in json.loads(full.folder.server_file.read_text())
