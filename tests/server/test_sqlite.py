"""The store on SQLite: its file, what makes a commit durable, and leases on a clock that the test sets."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select

from tests.server.test_store import deliver, match_all
from tests.support.pools import claim_pool
from tests.support.server_data import data_key
from tpsi import Examination, Verdict
from tpsi.detection import Outcome
from tpsi_server import Store, StoreError
from tpsi_server.store import Due, News
from tpsi_server.store.schema import metadata, vouchers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the account alice and epoch 1."""
    with Store.create(tmp_path / "store", data_key) as made:
        made.accounts.add("alice", 1.0)
        made.epochs.add(1, bytes(32), 1.0)
        yield made


def pragma(store: Store, name: str) -> object:
    with store._database.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_commit_waits_for_the_disk(store: Store) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2  # FULL
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "secure_delete") == 1


def test_a_missing_database_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="restore it from a backup"):
        Store.open(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())


def test_an_existing_database_is_not_made_anew(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="already"):
        Store.create(tmp_path / "store")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"not a database at all, but some text " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)


def test_a_truncated_database_is_refused(store: Store, tmp_path: Path) -> None:
    deliver(store, 1000)
    store.close()
    path = tmp_path / "store"
    path.write_bytes(path.read_bytes()[:5000])

    def use() -> None:
        with Store.open(path) as damaged:
            damaged.vouchers.count_waiting()
            deliver(damaged, 1000)

    with pytest.raises(StoreError):
        use()


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="not one of tpsi-server"):
        Store.open(tmp_path / "other")


def test_the_database_is_for_its_owner_only(store: Store, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_signal_that_ends_the_program_in_the_middle_of_a_row_leaves_no_word_of_it(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def signalled(_text: bytes) -> NoReturn:
        raise SystemExit(143)

    def read() -> None:
        with store._database.read() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.text_factory = signalled
            try:
                with connection.exec_driver_sql("SELECT 'a row'") as rows:
                    rows.all()
            finally:
                driver.text_factory = str

    with caplog.at_level(logging.WARNING), pytest.raises(SystemExit):
        read()
    assert not caplog.records
    deliver(store, 1)  # the transaction that was read in has ended


def test_every_table_and_index_of_the_schema_is_used_by_name(store: Store) -> None:
    with store._database.read() as connection:
        found = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    assert {table.name for table in metadata.sorted_tables} <= found


def test_waiting_vouchers_are_found_without_reading_all(store: Store) -> None:
    wanted = select(vouchers.c.id).where(vouchers.c.state == 0, vouchers.c.epoch == 1).limit(1)
    sql = str(wanted.compile(compile_kwargs={"literal_binds": True}))
    with store._database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
    assert "vouchers_waiting" in str(plan)


def test_a_pool_is_examined_again_only_when_it_has_grown_enough_or_rested(store: Store) -> None:
    deliver(store, 200)
    match_all(store, 200)
    due = claim_pool(store.pools, 60.0, 10.0)
    assert due is not None
    assert (due.total, len(due.opened)) == (200, 200)
    assert claim_pool(store.pools, 60.0, 10.0) is None  # somebody has it
    _record_nothing(store, due, took=2.0, now=10.0)
    deliver(store, 1, start=500)
    match_all(store, 1)
    assert claim_pool(store.pools, 60.0, 11.0) is None  # half a percent more, a second later
    assert claim_pool(store.pools, 60.0, 10.0 + 19.0) is None
    rested = claim_pool(store.pools, 60.0, 10.0 + 20.1)
    assert rested is not None
    _record_nothing(store, rested, took=2.0, now=31.0)
    deliver(store, 5, start=600)
    match_all(store, 5)
    assert claim_pool(store.pools, 60.0, 32.0) is not None  # it has grown by more than two percent


def _record_nothing(store: Store, due: Due, took: float, now: float) -> None:
    count = len(due.opened)
    undecided = Examination(Outcome.UNDECIDED, count, count, (Verdict.WITHHELD,) * count, (None,) * count, None)
    store.pools.record(due, News.of(due, undecided), took, now)
