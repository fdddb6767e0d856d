"""The store: transactions, durability settings, the schema's version, turns."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from tests.server.site import opened
from tpsi import Examination, Pool, Sharing, Verdict
from tpsi.detection import Outcome
from tpsi_server import Store, StoreError
from tpsi_server.store import Delivery, Due, Incoming, Match
from tpsi_server.store.database import Database
from tpsi_server.store.fairness import FairLock
from tpsi_server.store.schema import SCHEMA_VERSION, accounts, metadata, schema_version, vouchers

POOL = Pool(bytes(16), 0, Sharing(3, 4))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the account alice and epoch 1."""
    with Store.create(tmp_path / "store") as made:
        made.accounts.add("alice", 1.0)
        made.epochs.add(1, bytes(32), 1.0)
        yield made


def deliver(store: Store, count: int, start: int = 0, account: str = "alice") -> None:
    incoming = [Incoming(n.to_bytes(16, "big"), bytes(32), 0, 1, b"payload") for n in range(start, start + count)]
    store.vouchers.store([Delivery(account, incoming)], 1.0)


def match_all(store: Store, count: int) -> int:
    """Open every voucher that waits; how many are revealed at once."""
    claim = store.matches.claim(1, count, 60.0, 1.0)
    assert claim is not None
    results = [Match(voucher.id, opened(voucher.id.to_bytes(16, "big")), POOL) for voucher in claim.vouchers]
    return store.matches.record(claim, results, 1.0).matched


def pragma(store: Store, name: str) -> object:
    with store._database.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_commit_waits_for_the_disk(store: Store) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2  # FULL
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "secure_delete") == 1


def test_a_transaction_that_raises_is_undone(store: Store) -> None:
    def fail() -> None:
        with store._database.write() as connection:
            connection.execute(insert(accounts).values(name="bob", created=1, vouchers=0, opened=0, revealed=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.accounts.find("bob") is None


def test_a_voucher_needs_its_account_and_epoch(store: Store) -> None:
    deliver(store, 1)
    with pytest.raises(StoreError, match="FOREIGN KEY"), store._database.write() as connection:
        connection.execute(delete(accounts))


def test_errors_do_not_show_what_was_to_be_stored(store: Store) -> None:
    with pytest.raises(StoreError) as error, store._database.write() as connection:
        connection.execute(insert(accounts).values(name="alice", created=1, vouchers=0, opened=0, revealed=0))
    cause: BaseException | None = error.value
    while cause is not None:
        assert "alice" not in str(cause)
        cause = cause.__cause__ or cause.__context__


def test_readers_are_not_held_up_by_a_writer(store: Store) -> None:
    with store._database.write() as connection:
        connection.execute(update(accounts).values(revoked=5))
        found = store.accounts.find("alice")
        assert found is not None
        assert found.revoked is None


def test_writers_of_two_processes_wait_for_each_other(store: Store, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "store")
    begun = threading.Event()

    def write_slowly() -> None:
        with other._database.write() as connection:
            begun.set()
            time.sleep(0.2)
            connection.execute(update(accounts).values(vouchers=accounts.c.vouchers + 1))

    thread = threading.Thread(target=write_slowly)
    thread.start()
    begun.wait(10)
    with store._database.write() as connection:
        connection.execute(update(accounts).values(vouchers=accounts.c.vouchers + 1))
    thread.join()
    found = other.accounts.find("alice")
    other.close()
    assert found is not None
    assert found.vouchers == 2


def test_a_missing_database_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="tpsi-server init"):
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


@pytest.mark.parametrize(
    ("version", "advice"), [(SCHEMA_VERSION + 1, "update tpsi-server"), (SCHEMA_VERSION - 1, "restore")]
)
def test_a_schema_of_another_version_is_refused(store: Store, tmp_path: Path, version: int, advice: str) -> None:
    with store._database.write() as connection:
        connection.execute(update(schema_version).values(version=version))
    store.close()
    with pytest.raises(StoreError, match=advice):
        Store.open(tmp_path / "store")


def test_the_database_is_for_its_owner_only(store: Store, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


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


def test_claims_do_not_overlap(store: Store) -> None:
    deliver(store, 10)
    claims = [store.matches.claim(1, 4, 60.0, 1.0) for _ in range(4)]
    taken = [voucher.id for claim in claims if claim is not None for voucher in claim.vouchers]
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 10
    assert claims[3] is None


def test_a_claim_can_be_given_back(store: Store) -> None:
    deliver(store, 3)
    first = store.matches.claim(1, 10, 60.0, 1.0)
    assert first is not None
    store.matches.release(first.token)
    second = store.matches.claim(1, 10, 60.0, 1.0)
    assert second is not None
    assert second.vouchers == first.vouchers
    assert second.token != first.token


def test_a_pool_is_examined_again_only_when_it_has_grown_enough_or_rested(store: Store) -> None:
    deliver(store, 200)
    match_all(store, 200)
    due = store.pools.claim(60.0, 10.0)
    assert due is not None
    assert (due.total, len(due.opened)) == (200, 200)
    assert store.pools.claim(60.0, 10.0) is None  # somebody has it
    _record_nothing(store, due, took=2.0, now=10.0)
    deliver(store, 1, start=500)
    match_all(store, 1)
    assert store.pools.claim(60.0, 11.0) is None  # half a percent more, a second later
    assert store.pools.claim(60.0, 10.0 + 19.0) is None
    rested = store.pools.claim(60.0, 10.0 + 20.1)
    assert rested is not None
    _record_nothing(store, rested, took=2.0, now=31.0)
    deliver(store, 5, start=600)
    match_all(store, 5)
    assert store.pools.claim(60.0, 32.0) is not None  # it has grown by more than two percent


def _record_nothing(store: Store, due: Due, took: float, now: float) -> None:
    count = len(due.opened)
    undecided = Examination(Outcome.UNDECIDED, count, count, (Verdict.WITHHELD,) * count, (None,) * count, None)
    store.pools.record(due, undecided, took, now)


def test_the_lock_is_given_in_the_order_of_asking() -> None:
    lock = FairLock()
    order: list[int] = []

    def ask(number: int) -> None:
        with lock:
            order.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    with lock:
        for thread in threads:
            waiting = len(lock._waiting)
            thread.start()
            while len(lock._waiting) == waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_an_interrupt_while_waiting_does_not_lose_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FairLock()
    with lock:
        real = threading.Lock

        class Interrupted:
            def __init__(self) -> None:
                self._lock = real()
                self._calls = 0

            def acquire(self) -> bool:
                self._calls += 1
                if self._calls == 2:
                    raise KeyboardInterrupt
                return self._lock.acquire()

            def release(self) -> None:
                self._lock.release()

        monkeypatch.setattr(threading, "Lock", Interrupted)
        with pytest.raises(KeyboardInterrupt), lock:
            pass
    with lock:
        pass


def test_a_database_can_be_opened_again_after_it_was_closed(store: Store, tmp_path: Path) -> None:
    deliver(store, 2)
    store.close()
    store.close()
    database = Database(tmp_path / "store")
    assert Store(database).vouchers.count_waiting() == 2
    database.close()
