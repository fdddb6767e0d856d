"""The store: transactions, durability settings, the schema's version, turns."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from sqlalchemy import delete, insert, update

from tests.server.site import opened
from tests.support.server_data import data_key
from tpsi import Pool, Sharing
from tpsi_server import Store, StoreError
from tpsi_server.store import Answer, Delivery, Incoming, Location, Match
from tpsi_server.store.database import Database
from tpsi_server.store.fairness import FairLock
from tpsi_server.store.schema import accounts

POOL = Pool(bytes(16), 0, Sharing(3, 4))


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    """A store of either engine with the account alice and epoch 1."""
    with Store.create(location, data_key) as made:
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
    with pytest.raises(StoreError, match=r"(?i)foreign key"), store._database.write() as connection:
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


def test_writers_of_two_processes_wait_for_each_other(store: Store) -> None:
    other = Store.open(store.location, data_key)
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


def test_a_database_can_be_opened_again_after_it_was_closed(store: Store) -> None:
    deliver(store, 2)
    store.close()
    store.close()
    database = Database(store.location)
    assert Store(database).vouchers.count_waiting() == 2
    database.close()


def test_the_same_id_with_other_octets_is_told_from_a_repetition_whoever_comes_first(store: Store) -> None:
    others = [Store.open(store.location, data_key) for _ in range(3)]
    batches = [[Incoming(bytes([n] * 16), bytes([k] * 32), 0, 1, b"payload") for n in range(40)] for k in (1, 1, 2)]
    with ThreadPoolExecutor() as pool:
        futures = [
            pool.submit(one.vouchers.store, [Delivery("alice", batch)], 1.0)
            for one, batch in zip(others, batches, strict=True)
        ]
    for one in others:
        one.close()
    answers = [answer for future in futures for some in future.result() for answer in cast("list[Answer]", some)]
    assert answers.count(Answer.NEW) == 40
    assert answers.count(Answer.ALREADY) + answers.count(Answer.OTHER) == 80
    assert answers.count(Answer.OTHER) in (40, 80)
    assert store.check() == []
