"""Pools that are due: whose turn it is, if one account makes as many as it can."""

from collections.abc import Iterator

import pytest

from tests.server.site import opened
from tests.server.test_store import deliver
from tests.support.pools import claim_pool
from tests.support.server_data import data_key
from tpsi import Examination, Pool, Sharing, Verdict
from tpsi.detection import Outcome
from tpsi_server import Store
from tpsi_server.store import Due, Location, Match, News

SHARING = Sharing(3, 4)


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    """A store of either engine with the accounts honest and hostile."""
    with Store.create(location, data_key) as made:
        made.epochs.add(1, bytes(32), 1.0)
        for name in ("honest", "hostile"):
            made.accounts.add(name, 1.0)
        yield made


def fill(store: Store, account: str, generation: int, start: int = 0) -> None:
    """Put more opened vouchers into an account's pool than its threshold."""
    deliver(store, 5, start=start, account=account)
    claim = store.matches.claim(1, 10, 60.0, 1.0)
    assert claim is not None
    pool = Pool(bytes(16), generation, SHARING)
    results = [Match(voucher.id, opened(voucher.id.to_bytes(16, "big")), pool) for voucher in claim.vouchers]
    store.matches.record(claim, results, 1.0)


def examine(store: Store, due: Due, now: float) -> None:
    """Record that an examination has found nothing."""
    count = len(due.opened)
    nothing = Examination(Outcome.UNDECIDED, count, count, (Verdict.WITHHELD,) * count, (None,) * count, None)
    store.pools.record(due, News.of(due, nothing), 0.0, now)


def turns(store: Store, count: int, *, examined: bool) -> list[int]:
    """Whose pools are claimed, while the hostile account makes a new one before each claim."""
    fill(store, "honest", 0)
    found: list[int] = []
    for turn in range(count):
        for number in range(3):
            fill(store, "hostile", 3 * turn + number, start=1000 + 15 * turn + 5 * number)
        if 1 in found:
            fill(store, "honest", 0, start=100 * turn)
        due = claim_pool(store.pools, 60.0, 10.0 + turn, patient=False)
        assert due is not None
        found.append(due.account)
        if examined:
            examine(store, due, 10.0 + turn)
    return found


def test_who_makes_many_pools_is_examined_in_turn_with_others(store: Store) -> None:
    """Each generation that a device names is a pool of its own, and new pools were examined first."""
    found = turns(store, 8, examined=True)
    assert found.count(1) >= 3


def test_who_makes_many_pools_does_not_keep_all_workers(store: Store) -> None:
    assert 1 in turns(store, 2, examined=False)
