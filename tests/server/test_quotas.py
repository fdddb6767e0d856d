"""Quotas where several deliveries of an account share a transaction: what was stored before does not count again."""

from collections.abc import Iterable, Iterator

import pytest

from tests.support.server_data import data_key
from tpsi_server import Store
from tpsi_server.store import Answer, Delivery, Exceeded, Incoming, Location

NEW, ALREADY = Answer.NEW, Answer.ALREADY


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    """A store of either engine, with an account that may send ten vouchers."""
    with Store.create(location, data_key) as made:
        made.epochs.add(1, bytes(32), 1.0)
        made.accounts.add("alice", 1.0)
        made.quotas.limit("alice", {"vouchers": 10})
        yield made


def vouchers(numbers: Iterable[int]) -> Delivery:
    return Delivery("alice", [Incoming(n.to_bytes(16, "big"), bytes(32), 0, 1, b"payload") for n in numbers])


def test_what_is_sent_again_takes_nothing_from_what_comes_with_it(store: Store) -> None:
    assert store.vouchers.store([vouchers(range(5))], 1.0) == [[NEW] * 5]
    again, new = vouchers(range(5)), vouchers(range(5, 10))
    assert store.vouchers.store([again, again, new], 1.0) == [[ALREADY] * 5, [ALREADY] * 5, [NEW] * 5]
    assert store.vouchers.store([again, new], 1.0) == [[ALREADY] * 5] * 2


def test_a_voucher_that_comes_twice_at_once_counts_once(store: Store) -> None:
    same = vouchers(range(10))
    assert store.vouchers.store([same, same], 1.0) == [[NEW] * 10, [ALREADY] * 10]


def test_deliveries_of_one_transaction_do_not_get_past_a_quota_together(store: Store) -> None:
    answers = store.vouchers.store([vouchers(range(n, n + 4)) for n in (0, 4, 8, 12)], 1.0)
    assert answers == [[NEW] * 4, [NEW] * 4, Exceeded(None), Exceeded(None)]
    assert store.vouchers.store([vouchers([8, 9]), vouchers([10])], 1.0) == [[NEW] * 2, Exceeded(None)]
    found = store.accounts.find("alice")
    assert found is not None
    assert found.vouchers == 10
    assert store.check() == []
