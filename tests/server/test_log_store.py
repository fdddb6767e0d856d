"""The log in the store, on both engines: places without gaps whoever appends, and entries that nothing changes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert

from tpsi.log import History, ManifestEntry, PolicyEntry, RevealEntry, Tree, decode_entry
from tpsi.log.notice import MAX_BATCH, voucher_digest
from tpsi.merkle import leaf_digest
from tpsi_server import Store
from tpsi_server.store import Location
from tpsi_server.store.log_schema import log_entries, log_head, log_pending


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    with Store.create(location) as made:
        yield made


def history(store: Store) -> History:
    """The log read through, with its leaves compared."""
    found, data = History(), store.log.entries(0, store.log.size())
    assert store.log.leaves(0, store.log.size()) == list(map(leaf_digest, data))
    for entry in map(decode_entry, data):
        found.add(entry)
    return found


def test_an_empty_log_has_the_empty_tree(store: Store) -> None:
    assert (store.log.size(), store.log.entries(0, 9), store.log.notify_after()) == (0, [], None)
    assert Tree(store.log.leaves(0, 9)).root() == Tree().root()


def test_every_epoch_comes_into_the_log_with_its_own_transaction(store: Store) -> None:
    for number in (1, 2, 3):
        store.epochs.add(number, bytes([number]) * 32, 1.0)
    assert history(store).epochs == [bytes([number]) * 32 for number in (1, 2, 3)]
    assert store.log.place_of(ManifestEntry(2, b"\x02" * 32).leaf) == 1
    assert store.log.place_of(ManifestEntry(2, b"\x03" * 32).leaf) is None


def test_epochs_from_before_the_log_are_taken_in_once(store: Store) -> None:
    """As after a migration: the tables are there, and empty."""
    store.epochs.add(1, b"\x01" * 32, 1.0)
    store.epochs.add(2, b"\x02" * 32, 1.0)
    with store._database.write() as connection:
        connection.execute(delete(log_entries))
        connection.execute(delete(log_head))
    store.log.adopt()
    store.log.adopt()
    assert history(store).epochs == [b"\x01" * 32, b"\x02" * 32]


def test_appending_side_by_side_leaves_no_gap_and_loses_nothing(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.log.set_notify_after(number, 1000.0 + number), range(24)))
    found = history(store)  # times do not go back either, whoever came first
    assert found.size == store.log.size() == 24
    policies = [decode_entry(data) for data in store.log.entries(0, 24)]
    assert sorted(one.notify_after or 0 for one in policies if isinstance(one, PolicyEntry)) == list(range(24))


def test_a_clock_that_was_set_back_does_not_show(store: Store) -> None:
    store.log.set_notify_after(60, 2000.0)
    store.log.set_notify_after(None, 1000.0)
    assert history(store).time == 2000
    assert store.log.notify_after() is None


def test_what_is_so_already_is_not_said_again(store: Store) -> None:
    assert store.log.set_notify_after(60, 1.0)
    assert not store.log.set_notify_after(60, 2.0)
    assert store.log.size() == 1


def note(store: Store, account: str, number: int, noted: float = 1000.0) -> None:
    """Note a voucher as revealed."""
    row = {"account": account, "list_id": bytes(16), "generation": 7, "voucher_id": number.to_bytes(16, "big")}
    with store._database.write() as connection:
        connection.execute(insert(log_pending).values(noted=round(noted * 1000), **row))


def test_what_was_noted_is_committed_to_in_batches_of_a_bounded_size(store: Store) -> None:
    store.log.set_notify_after(60, 900.0)
    for number in range(MAX_BATCH + 5):
        note(store, f"account {number}", number, 1000.0 + number)
    note(store, "account 3", 5000)
    store.log.commit(before=1000.0)
    assert store.log.size() == 1
    store.log.commit()
    assert (history(store).reveals, store.log.size()) == (2, 3)
    records = list(store.log.notices())
    assert [record.disclosure.batch_size for record in records] == [MAX_BATCH] * MAX_BATCH + [5] * 5
    for record in records:
        entry = decode_entry(store.log.entries(record.disclosure.index, record.disclosure.index + 1)[0])
        assert isinstance(entry, RevealEntry)
        assert record.disclosure.verify(entry).digest == voucher_digest(record.voucher_ids)
    twice = next(record for record in records if record.disclosure.notice.account == "account 3")
    assert twice.voucher_ids == ((3).to_bytes(16, "big"), (5000).to_bytes(16, "big"))
    assert store.log.open_due(1e10) == 2
    assert history(store).waiting == {}
    (told,) = store.log.disclosures("account 3")
    assert told.notice.account == "account 3"
    assert store.log.disclosures("account 3", told.index) == [told]
    for after in (told.index + 1, 2**63, 2**64 - 1):
        assert store.log.disclosures("account 3", after) == []
    assert store.log.disclosures("account 3", 0, 0) == []


def test_replicas_that_commit_at_once_commit_to_everything_once(store: Store) -> None:
    store.log.set_notify_after(60, 900.0)
    for number in range(40):
        note(store, f"account {number % 5}", number)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: store.log.commit(), range(6)))
    told = [one for record in store.log.notices() for one in record.voucher_ids]
    assert sorted(told) == [number.to_bytes(16, "big") for number in range(40)]
    assert history(store).reveals == 1
