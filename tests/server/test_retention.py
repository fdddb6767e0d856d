"""Retention: what is forgotten, when, and that nothing else changes by it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from tests.server.command import Run, parsed
from tests.server.site import Site, vouchers
from tests.server.site import opened as opened_voucher
from tests.server.test_cells import store as store  # noqa: PLC0414 (a fixture: two accounts, something revealed)
from tests.server.test_store import POOL
from tests.support.pools import claim_pool
from tests.support.server_data import data_key
from tpsi import CallerError
from tpsi_server import Store
from tpsi_server.store import Answer, Delivery, Forgotten, Incoming, Location, Match, Periods
from tpsi_server.store.schema import opened, reveals
from tpsi_server.store.schema import vouchers as stored

DAY = 86_400.0


def count(store: Store, what: object) -> int:
    with store._database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(what)).scalar_one())  # type: ignore[arg-type]


def test_by_default_ids_of_unmatched_vouchers_are_kept_for_a_while() -> None:
    assert Periods() == Periods(ids=90, shares=None, reveals=None, set_aside=None)


@pytest.mark.parametrize("period", [0, -1, 40_000, True, 1.5])
def test_an_impossible_period_is_refused(period: int) -> None:
    with pytest.raises(CallerError, match="1 to 36500 days"):
        Periods(ids=period)


class TestForgetting:
    @pytest.fixture
    def old(self, location: Location) -> Iterator[Store]:
        """Vouchers of day 1 (unmatched, opened) and of day 50."""
        with Store.create(location, data_key) as made:
            made.epochs.add(1, bytes(32), 1.0)
            made.accounts.add("alice", 1.0)
            for day in (1, 50):
                now = day * DAY
                made.vouchers.store([Delivery("alice", [incoming(day, n) for n in range(6)])], now)
                claim = made.matches.claim(1, 10, 60.0, now)
                assert claim is not None
                results = [
                    Match(v.id, opened_voucher(v.id.to_bytes(16, "big")), POOL) if n % 2 else Match(v.id)
                    for n, v in enumerate(claim.vouchers)
                ]
                made.matches.record(claim, results, now)
            yield made

    def test_ids(self, old: Store) -> None:
        assert old.retention.apply(91 * DAY) == Forgotten(0, 0, 0, 0)
        assert old.retention.apply(91 * DAY + 1) == Forgotten(ids=3, shares=0, reveals=0, set_aside=0)
        assert count(old, stored) == 9
        assert old.check() == []
        found = old.accounts.find("alice")
        assert found is not None
        assert (found.vouchers, found.opened) == (12, 6)

    def test_a_voucher_that_was_forgotten_is_matched_again(self, old: Store) -> None:
        again = [Delivery("alice", [incoming(1, 0)])]
        assert old.vouchers.store(again, 2 * DAY) == [[Answer.ALREADY]]
        old.retention.apply(100 * DAY)
        assert old.vouchers.store(again, 100 * DAY) == [[Answer.NEW]]
        claim = old.matches.claim(1, 10, 60.0, 100 * DAY)
        assert claim is not None
        assert old.matches.record(claim, [Match(v.id) for v in claim.vouchers], 100 * DAY).unmatched == 1
        assert old.check() == []

    def test_what_was_set_aside(self, old: Store) -> None:
        """Its payload goes; that it was here is known until its id goes, too."""
        sent = [Delivery("alice", [incoming(60, n) for n in range(3)])]
        old.vouchers.store(sent, 60 * DAY)
        claim = old.matches.claim(1, 10, 60.0, 60 * DAY)
        assert claim is not None
        assert old.matches.record(claim, [Match(v.id, failed=True) for v in claim.vouchers], 60 * DAY).failed == 3
        old.retention.set_periods(ids=40, set_aside=30)
        assert old.retention.apply(90 * DAY).set_aside == 0
        assert len(old.vouchers.set_aside()) == 3
        assert old.retention.apply(90 * DAY + 1).set_aside == 3
        assert (old.vouchers.set_aside(), old.matches.retry_failed()) == ([], 0)
        assert old.vouchers.store(sent, 91 * DAY) == [[Answer.ALREADY] * 3]
        assert old.check() == []
        old.retention.apply(100 * DAY + 1)
        assert old.vouchers.store(sent, 101 * DAY) == [[Answer.NEW] * 3]

    def test_shares(self, old: Store) -> None:
        old.retention.set_periods(ids=None, shares=30)
        assert old.retention.apply(60 * DAY) == Forgotten(ids=0, shares=3, reveals=0, set_aside=0)
        assert count(old, opened) == 3
        assert old.check() == []
        found = old.accounts.find("alice")
        assert found is not None
        assert found.opened == 3
        assert old.retention.apply(100 * DAY).shares == 3
        due = claim_pool(old.pools, 60.0, 100 * DAY, patient=False)
        assert due is None  # nothing is left to examine

    def test_with_the_share_the_id_can_go(self, old: Store) -> None:
        old.retention.set_periods(ids=30, shares=30)
        assert old.retention.apply(60 * DAY) == Forgotten(ids=6, shares=3, reveals=0, set_aside=0)
        assert old.check() == []

    def test_a_pool_that_is_examined_waits(self, old: Store) -> None:
        old.retention.set_periods(shares=1)
        due = claim_pool(old.pools, 4e9, 60 * DAY, patient=False)
        assert due is not None
        assert old.retention.apply(60 * DAY).shares == 0
        old.pools.release(due.token)
        assert old.retention.apply(60 * DAY).shares == 6


def incoming(day: int, number: int) -> Incoming:
    return Incoming(bytes([day, number]).ljust(16, b"\0"), bytes(32), 0, 1, b"payload")


def test_reveals(store: Store) -> None:
    store.retention.set_periods(ids=None, reveals=10)
    assert store.retention.apply(9 * DAY).reveals == 0
    assert store.retention.apply(11 * DAY).reveals == 4
    assert (count(store, reveals), count(store, opened)) == (0, 4)
    assert list(store.reveals.of_account("alice")) == []
    found = store.accounts.find("alice")
    assert found is not None
    assert (found.revealed, found.opened) == (0, 2)
    assert store.check() == []


def test_the_command_sets_shows_and_applies(run: Run, site: Site) -> None:
    assert parsed(run("retention", "show", "--json")) == {"ids": 90, "shares": None, "reveals": None, "set_aside": None}
    assert parsed(run("retention", "set", "--shares", 365, "--ids", 0, "--set-aside", 30, "--json")) == {
        "ids": None,
        "shares": 365,
        "reveals": None,
        "set_aside": 30,
    }
    assert run("retention", "show")[1].splitlines() == [
        "ids and digests of vouchers that did not match: kept",
        "opened vouchers that are not revealed: forgotten after 365 days",
        "what was revealed: kept",
        "what could not be matched: forgotten after 30 days",
    ]
    assert parsed(run("retention", "apply", "--json")) == {"ids": 0, "shares": 0, "reveals": 0, "set_aside": 0}
    assert run("retention", "set", "--ids", -1)[0] == 2


def test_what_is_set_aside_is_listed(run: Run, site: Site) -> None:
    assert run("set-aside")[1] == "no voucher is set aside\n"
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, range(100, 102)))
        for _ in range(8):
            runtime.store.matches.claim(1, 10, -1.0, 1.0)
        assert runtime.store.vouchers.count_failed() == 2
    listed = parsed(run("set-aside", "--json"))
    assert [(one["account"], one["epoch"]) for one in listed] == [("alice", 1)] * 2
    assert min(one["octets"] for one in listed) > 100
    assert len(run("set-aside")[1].splitlines()) == 3
    assert parsed(run("match", "--retry", "--json"))["unmatched"] == 2
