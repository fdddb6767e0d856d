"""The log in the store, on both engines: places without gaps whoever appends, and entries that nothing changes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from tpsi.log import History, ManifestEntry, PolicyEntry, Tree, decode_entry
from tpsi.merkle import leaf_digest
from tpsi_server import Store
from tpsi_server.store import Location
from tpsi_server.store.log_schema import log_entries, log_head


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
