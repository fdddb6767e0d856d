"""The store on PostgreSQL: what it refuses, clocks, claims and deliveries of several replicas at once."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import text, update
from sqlalchemy.engine import URL

from tests.server.site import opened
from tests.server.test_store import POOL, deliver
from tests.support.pools import claim_pool
from tests.support.postgres import PostgresServer
from tests.support.server_data import data_key
from tpsi import Examination, Secret, Verdict
from tpsi.detection import Outcome
from tpsi_server import Store, StoreError
from tpsi_server.store import Answer, Database, Delivery, Incoming, Match, News, describe, parse_location
from tpsi_server.store.database import retrying
from tpsi_server.store.engine import ConflictError
from tpsi_server.store.log import note_reveal
from tpsi_server.store.quotas import Exceeded
from tpsi_server.store.schema import accounts, claims, pools

T = TypeVar("T")


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[URL]:
    """An empty database."""
    with postgres.database() as made:
        yield made


@pytest.fixture
def store(url: URL) -> Iterator[Store]:
    """A store with the accounts alice and bob and epoch 1."""
    with Store.create(url, data_key) as made:
        for name in ("alice", "bob"):
            made.accounts.add(name, 1.0)
        made.epochs.add(1, bytes(32), 1.0)
        yield made


@pytest.fixture
def replicas(store: Store) -> Iterator[list[Store]]:
    """Four more stores over the same database, as other processes have them."""
    opened = [Store.open(store.location, data_key) for _ in range(4)]
    yield opened
    for one in opened:
        one.close()


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Do some things at the same time."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync"])
def test_a_server_that_loses_what_it_acknowledged_is_refused(own_postgres: PostgresServer, setting: str) -> None:
    with own_postgres.database() as url:
        Store.create(url).close()
        _refused(own_postgres, url, setting)


def _refused(postgres: PostgresServer, url: URL, setting: str) -> None:
    if setting == "synchronous_commit":
        postgres.execute(f"ALTER DATABASE {url.database} SET {setting} = off")
    else:
        postgres.configure(setting, "off")
    try:
        with pytest.raises(StoreError, match=f"{setting} = off.*Set {setting} = on"):
            Store.open(url)
    finally:
        postgres.configure(setting, "on")


def test_a_server_that_cannot_be_reached_is_named_without_the_password() -> None:
    location = parse_location("postgresql://somebody:a-secret@127.0.0.1:1/nothing")
    with pytest.raises(StoreError, match="cannot be reached") as error:
        Store.open(location)
    assert "a-secret" not in str(error.value)
    assert "a-secret" not in describe(location)


@pytest.mark.parametrize("text", ["postgresql://host", "mysql://host/name", "postgresql://a:sec ret@[", "http://x/y"])
def test_what_is_no_location_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(StoreError) as error:
        parse_location(text)
    assert "sec ret" not in str(error.value)


def test_an_empty_database_is_not_one_of_ours(url: URL) -> None:
    with pytest.raises(StoreError, match="not one of tpsi-server"):
        Store.open(url)


def test_errors_do_not_show_what_was_to_be_stored(store: Store) -> None:
    with pytest.raises(StoreError, match="duplicate key") as error, store._database.write() as connection:
        connection.execute(text("INSERT INTO sources (name, created) VALUES ('a-name', 1), ('a-name', 1)"))
    cause: BaseException | None = error.value
    while cause is not None:
        assert "a-name)" not in str(cause)
        cause = cause.__cause__ or cause.__context__


def test_claims_of_replicas_do_not_overlap(store: Store, replicas: list[Store]) -> None:
    deliver(store, 400)

    def work(replica: Store) -> list[int]:
        taken: list[int] = []
        while (claim := replica.matches.claim(1, 7, 60.0, 0.0)) is not None:
            taken += [voucher.id for voucher in claim.vouchers]
        return taken

    taken = at_once([partial(work, replica) for replica in replicas])
    numbers = [number for some in taken for number in some]
    assert len(numbers) == len(set(numbers)) == 400


def test_leases_run_on_the_clock_of_the_database(store: Store, replicas: list[Store]) -> None:
    deliver(store, 3)
    ahead, behind = 4e9, 1.0  # replicas whose clocks are decades apart
    claim = replicas[0].matches.claim(1, 10, 60.0, behind)
    assert claim is not None
    assert replicas[1].matches.claim(1, 10, 60.0, ahead) is None
    with store._database.write() as connection:
        connection.execute(update(claims).values(leased_until=int(time.time() * 1000) - 1000))
    again = replicas[1].matches.claim(1, 10, 60.0, behind)
    assert again is not None
    late = replicas[0].matches.record(claim, [Match(v.id) for v in claim.vouchers], ahead)
    assert (late.matched, late.unmatched) == (0, 0)
    results = [Match(v.id, opened(v.id.to_bytes(16, "big")), POOL) for v in again.vouchers]
    assert replicas[1].matches.record(again, results, behind).matched == 3
    assert store.check() == []


def test_a_voucher_whose_work_never_ends_is_set_aside_after_some_attempts(store: Store) -> None:
    deliver(store, 2)
    for _ in range(5):
        while store.matches.claim(1, 10, -1.0, 0.0) is not None:
            pass
    assert store.vouchers.count_failed() == 2
    assert store.check() == []
    assert store.matches.retry_failed() == 2


def test_the_same_vouchers_at_several_replicas_are_stored_once(store: Store, replicas: list[Store]) -> None:
    def incoming(digest: bytes, numbers: range) -> list[Incoming]:
        return [Incoming(n.to_bytes(16, "big"), digest, 0, 1, b"payload") for n in numbers]

    def send(replica: Store, digest: bytes, order: int) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, 200, 20):
            numbers = range(start, start + 20)[::order]
            batch = [Delivery(name, incoming(digest, numbers)) for name in ("alice", "bob")[::order]]
            for one in replica.vouchers.store(batch, 1.0):
                assert isinstance(one, list)
                answers += one
        return answers

    works = [partial(send, replica, bytes([n // 2]) * 32, (-1) ** n) for n, replica in enumerate(replicas)]
    answers = [answer for some in at_once(works) for answer in some]
    assert answers.count(Answer.NEW) == 400  # each once, whoever came first
    assert answers.count(Answer.ALREADY) + answers.count(Answer.OTHER) == 1200
    assert answers.count(Answer.OTHER) == 800
    assert store.check() == []
    found = store.accounts.find("alice")
    assert found is not None
    assert found.vouchers == 200


def test_no_voucher_slips_into_an_epoch_while_it_is_retired(store: Store, replicas: list[Store]) -> None:
    retired = threading.Event()

    def send() -> list[Answer]:
        answers: list[Answer] = []
        for number in range(10_000, 10_400):
            (one,) = replicas[0].vouchers.store(
                [Delivery("alice", [Incoming(number.to_bytes(16, "big"), bytes(32), 0, 1, b"")])], 1.0
            )
            assert isinstance(one, list)
            answers += one
            if retired.is_set():
                break
        return answers

    def retire() -> int:
        time.sleep(0.05)
        replicas[1].epochs.retire(1, 5.0)
        waiting = replicas[1].epochs.waiting(1)
        retired.set()
        return waiting

    with ThreadPoolExecutor() as pool:
        answers, waiting = pool.submit(send), pool.submit(retire)
    assert answers.result().count(Answer.NEW) == waiting.result()
    assert store.epochs.waiting(1) == waiting.result()


def test_only_one_process_at_a_time_is_in_a_block_for_one(store: Store, replicas: list[Store]) -> None:
    with replicas[0].alone("build") as first:
        assert first
        with replicas[1].alone("build") as second, replicas[2].alone("something else") as other:
            assert not second
            assert other
    with replicas[1].alone("build") as again:
        assert again


def test_a_deadlock_is_run_again(store: Store, replicas: list[Store]) -> None:
    meeting = threading.Barrier(2)

    class Crossing:
        def __init__(self, database: Database) -> None:
            self._database = database
            self.runs = 0

        @retrying
        def cross(self, first: str, second: str) -> None:
            self.runs += 1
            with self._database.write() as connection:
                for name in (first, second):
                    add_one = update(accounts).where(accounts.c.name == name)
                    connection.execute(add_one.values(revealed=accounts.c.revealed + 1))
                    if self.runs == 1 and name == first:
                        meeting.wait(10)

    pair = [Crossing(replica._database) for replica in replicas[:2]]
    at_once([lambda: pair[0].cross("alice", "bob"), lambda: pair[1].cross("bob", "alice")])
    assert sorted(one.runs for one in pair) == [1, 2]
    assert sorted(replica.retries for replica in replicas[:2]) == [0, 1]
    found = store.accounts.find("alice")
    assert found is not None
    assert found.revealed == 2


def test_what_keeps_failing_is_given_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    class Failing:
        def __init__(self, database: Database) -> None:
            self._database = database
            self.runs = 0

        @retrying
        def fail(self) -> None:
            self.runs += 1
            raise ConflictError("the database failed: deadlock detected")

    failing = Failing(store._database)
    with pytest.raises(StoreError, match="deadlock"):
        failing.fail()
    assert failing.runs == 12


def test_connections_that_a_restart_cut_are_replaced(postgres: PostgresServer, store: Store, url: URL) -> None:
    deliver(store, 2)
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'")
    deliver(store, 2, start=2)
    assert store.vouchers.count_waiting() == 4


def test_every_part_of_the_store_works_here_too(store: Store) -> None:
    assert store.accounts.add_token(b"t" * 32, "device", "alice", 1.0, None) == 1
    assert store.quotas.limit("alice", {"vouchers": 3})
    number = store.certificates.add(b"f" * 32, "operator", None, now=1.0, expires=9.0, anchor=b"der")
    assert number is not None
    assert store.certificates.revoke(number, 2.0)
    assert store.companions.load() is None
    store.settings.change("a name", lambda _: {"value": 1})
    assert store.settings.get("a name") == {"value": 1}
    assert store.log.set_notify_after(0, 3.0)
    (one,) = store.vouchers.store(
        [Delivery("alice", [Incoming(bytes([n] * 16), bytes(32), 0, 1, b"x") for n in range(4)])], 4.0
    )
    assert isinstance(one, Exceeded)
    deliver(store, 3)
    claim = store.matches.claim(1, 10, 60.0, 5.0)
    assert claim is not None
    results = [Match(v.id, opened(v.id.to_bytes(16, "big")), POOL) for v in claim.vouchers]
    store.matches.record(claim, results, 5.0)
    reveal_all(store)
    assert [reveal.associated for reveal in store.reveals.of_account("alice")] == [b"data"] * 3
    assert store.log.open_due(2e10) == 1
    assert [len(notice.voucher_ids) for notice in store.log.notices()] == [3]
    assert store.check() == []


def reveal_all(store: Store) -> None:
    """Reveal what is opened of alice, as an examination does."""
    with store._database.write() as connection:
        connection.execute(update(pools).values(threshold=1))
    due = claim_pool(store.pools, 60.0, 6.0, patient=False)
    assert due is not None
    count = len(due.opened)
    found = Examination(
        Outcome.REVEALED, count, count, (Verdict.REVEALED,) * count, (b"data",) * count, Secret(bytes(32))
    )
    assert store.pools.record(due, News.of(due, found), 0.0, 6.0) == count


def test_a_policy_waits_for_reveals_that_are_under_way_and_these_not_for_each_other(
    store: Store, replicas: list[Store]
) -> None:
    """A reveal that saw no promise, and is written after one was made, would convict an honest server."""
    order: list[str] = []

    def promise() -> None:
        replicas[2].log.set_notify_after(60, 5.0)
        order.append("promise")

    with ExitStack() as stack:
        for one in replicas[:2]:
            connection = stack.enter_context(one._database.write())
            note_reveal(
                connection, 1, [1], 5000
            )  # nobody is told yet: nothing is noted, but the end of the log is held
        thread = threading.Thread(target=promise)
        thread.start()
        time.sleep(0.3)
        order.append("reveals")
    thread.join()
    assert order == ["reveals", "promise"]
