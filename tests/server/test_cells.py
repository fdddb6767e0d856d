"""Sealed cells: what a stolen database shows, and what somebody who can write into it can make the server believe."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Column, Connection, select, update

from tests.server.site import opened as opened_voucher
from tests.server.test_store import POOL, deliver
from tests.support.pools import claim_pool
from tests.support.server_data import data_key
from tpsi import Examination, Opened, Secret, Verdict
from tpsi.detection import Outcome
from tpsi_server import KeyFileError, Store
from tpsi_server.store import DamagedError, Location, Match, News
from tpsi_server.store.cells import OVERHEAD, Cells, key_number
from tpsi_server.store.datakeys import SEALED
from tpsi_server.store.schema import data_keys, metadata, opened, pools, reveals, vouchers

AD_KEY = Secret(b"the key of the associated data. ")


def share(number: int) -> bytes:
    return b"\0" * 7 + bytes([number + 1]) + b"a share's row, not for anyone els"[:32]


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    """A store with two accounts, whose four vouchers each are opened and half of them revealed."""
    with Store.create(location, data_key) as made:
        made.epochs.add(1, bytes(32), 1.0)
        for name in ("alice", "bob"):
            made.accounts.add(name, 1.0)
            deliver(made, 4, account=name)
            claim = made.matches.claim(1, 10, 60.0, 1.0)
            assert claim is not None
            opened_now = [opened_voucher(v.id.to_bytes(16, "big"), share(n)) for n, v in enumerate(claim.vouchers)]
            results = [Match(v.id, one, POOL) for v, one in zip(claim.vouchers, opened_now, strict=True)]
            made.matches.record(claim, results, 1.0)
            due = claim_pool(made.pools, 60.0, 1.0, patient=False)
            assert due is not None
            associated = (b"associated data 0", b"associated data 1", None, None)
            verdicts = (Verdict.REVEALED, Verdict.REVEALED, Verdict.REJECTED, Verdict.REJECTED)
            found = Examination(Outcome.REVEALED, 2, 2, verdicts, associated, AD_KEY)
            made.pools.record(due, News.of(due, found), 0.0, 2.0)
        yield made


def read_all(store: Store) -> None:
    """Whatever opens a cell: reading reveals, opening late vouchers of a revealed pool, examining."""
    for name in ("alice", "bob"):
        assert len(list(store.reveals.of_account(name))) == 2
    deliver(store, 1, start=100, account="alice")
    claim = store.matches.claim(1, 10, 60.0, 1.0)
    assert claim is not None
    store.matches.record(claim, [Match(v.id, opened_voucher(b"x" * 16), POOL) for v in claim.vouchers], 3.0)


def swap(connection: Connection, column: "Column[bytes]", other: "Column[bytes]", first: int, second: int) -> None:
    """Exchange two cells, of the rows with these primary keys."""
    keys = [next(iter(one.table.primary_key)) for one in (column, other)]
    values = [
        connection.execute(select(one).where(key == row)).scalar_one()
        for one, key, row in zip((column, other), keys, (first, second), strict=True)
    ]
    connection.execute(update(column.table).where(keys[0] == first).values({column: values[1]}))
    connection.execute(update(other.table).where(keys[1] == second).values({other: values[0]}))


def test_every_sensitive_column_is_sealed() -> None:
    marked = {column for table in metadata.sorted_tables for column in table.c if column.info.get("sensitive")}
    assert marked == {column for column, _ in SEALED}


def test_what_is_sealed_is_read_again(store: Store) -> None:
    read_all(store)
    assert [one.associated for one in store.reveals.of_account("bob")] == [b"associated data 0", b"associated data 1"]
    assert store.check() == []


def test_the_database_shows_nothing_of_what_is_sealed(store: Store) -> None:
    with store._database.read() as connection:
        cells = [cell for column, _ in SEALED for cell in connection.execute(select(column)).scalars() if cell]
    assert len(cells) == 8 + 8 + 2 + 4
    for cell in cells:
        assert key_number(cell) == 1
        for secret in (AD_KEY.reveal(), b"associated data", b"a share's row", bytes(8)):
            assert secret not in cell
    assert len({cell[4:20] for cell in cells}) == len(cells)  # no salt, hence no key, is used twice


def test_without_the_keys_it_is_said_what_is_missing(store: Store) -> None:
    with Store.open(store.location) as locked:
        assert locked.accounts.count_revealed() == 2
        with pytest.raises(KeyFileError, match="passphrase"):
            list(locked.reveals.of_account("alice"))
        deliver(locked, 1, start=200)
        claim = locked.matches.claim(1, 10, 60.0, 1.0)
        assert claim is not None
        with pytest.raises(KeyFileError, match="passphrase"):
            locked.matches.record(claim, [Match(v.id, opened_voucher(b"x" * 16), POOL) for v in claim.vouchers], 3.0)


def test_two_cells_of_a_column_exchanged(store: Store) -> None:
    with store._database.write() as connection:
        swap(connection, reveals.c.associated, reveals.c.associated, 1, 5)
    with pytest.raises(DamagedError, match=r"reveals\.associated"):
        read_all(store)


def test_the_keys_of_two_pools_exchanged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """What comes later is not opened with the wrong one, and nobody else's vouchers wait for it."""
    with store._database.write() as connection:
        swap(connection, pools.c.ad_key, pools.c.ad_key, 1, 2)
    read_all(store)
    assert "pools.ad_key, row 1 1" in caplog.text
    with store._database.read() as connection:
        late = connection.execute(select(opened.c.verdict).order_by(opened.c.voucher.desc()).limit(1)).scalar_one()
    assert late is None


def test_the_damaged_key_of_one_account_holds_up_no_other(store: Store) -> None:
    store.accounts.add("carol", 1.0)
    with store._database.write() as connection:
        connection.execute(update(pools).where(pools.c.account == 1).values(ad_key=b"\0\0\0\1" + bytes(60)))
    for name in ("alice", "carol"):
        deliver(store, 2, start=100, account=name)
    claim = store.matches.claim(1, 10, 60.0, 1.0)
    assert claim is not None
    done = store.matches.record(claim, [Match(v.id, opened_voucher(b"x" * 16), POOL) for v in claim.vouchers], 3.0)
    assert done.matched == 4
    assert store.check() == []


def test_a_damaged_share_that_comes_late_holds_up_no_reveal(store: Store) -> None:
    store.accounts.add("carol", 1.0)
    deliver(store, 6, start=100, account="carol")
    claim = store.matches.claim(1, 10, 60.0, 1.0)
    assert claim is not None
    now = [opened_voucher(v.id.to_bytes(16, "big"), share(n)) for n, v in enumerate(claim.vouchers)]
    store.matches.record(claim, [Match(v.id, one, POOL) for v, one in zip(claim.vouchers, now, strict=True)], 1.0)
    due = claim_pool(store.pools, 60.0, 1.0, patient=False)
    assert due is not None
    few = replace(due, vouchers=due.vouchers[:4], opened=due.opened[:4], verdicts=due.verdicts[:4])
    with store._database.write() as connection:
        connection.execute(update(opened).where(opened.c.voucher == due.vouchers[4]).values(adct=bytes(40)))
    associated = (b"0", b"1", b"2", b"3")
    found = Examination(Outcome.REVEALED, 4, 4, (Verdict.REVEALED,) * 4, associated, AD_KEY)
    assert store.pools.record(few, News.of(few, found), 0.0, 2.0) == 4
    with store._database.read() as connection:
        chosen = select(opened.c.verdict).where(opened.c.voucher.in_(due.vouchers[4:])).order_by(opened.c.voucher)
        assert connection.execute(chosen).scalars().all() == [None, "malformed"]


def test_a_cell_moved_to_another_column_or_table(store: Store) -> None:
    cells = Cells(data_key)
    with store._database.read() as connection:
        row = connection.execute(select(opened).where(opened.c.voucher == 1)).one()
    where = (row.voucher, row.pool)
    assert cells.open(opened.c.share, where, row.share) == share(0)
    for column in (opened.c.adct, reveals.c.associated, pools.c.ad_key):
        with pytest.raises(DamagedError):
            cells.open(column, where, row.share)


def test_rows_exchanged_between_accounts(store: Store) -> None:
    """A revealed row is given to another account, a share to another pool: the row's owner is in the place."""
    with store._database.write() as connection:
        connection.execute(update(reveals).where(reveals.c.voucher == 1).values(account=2))
    with pytest.raises(DamagedError):
        list(store.reveals.of_account("bob"))
    with store._database.write() as connection:
        connection.execute(update(opened).where(opened.c.voucher == 1).values(pool=2))
        connection.execute(update(pools).values(ad_key=None, examined=0))
    assert claim_pool(store.pools, 60.0, 9e6, patient=False) is not None  # the other account goes on
    assert claim_pool(store.pools, 60.0, 9e6, patient=False) is None
    with store._database.read() as connection:
        assert connection.execute(select(pools.c.outcome).order_by(pools.c.id)).scalars().all() == [
            "REVEALED",
            "DAMAGED",
        ]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda cell: cell[:-1],
    "short": lambda cell: cell[: OVERHEAD - 1],
    "empty": lambda _cell: b"",
    "tag": lambda cell: cell[:-1] + bytes([cell[-1] ^ 1]),
    "salt": lambda cell: cell[:5] + bytes([cell[5] ^ 1]) + cell[6:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cell(store: Store, damage: Callable[[bytes], bytes]) -> None:
    with store._database.write() as connection:
        cell = connection.execute(select(reveals.c.associated).where(reveals.c.voucher == 1)).scalar_one()
        connection.execute(update(reveals).where(reveals.c.voucher == 1).values(associated=damage(cell)))
    with pytest.raises(DamagedError, match="restore it from a backup"):
        list(store.reveals.of_account("alice"))


def test_a_cell_of_somebody_who_has_not_the_key(store: Store) -> None:
    foreign = Cells(lambda _number: Secret(bytes(32))).seal(1, reveals.c.associated, (1, 1), b"planted")
    with store._database.write() as connection:
        connection.execute(update(reveals).where(reveals.c.voucher == 1).values(associated=foreign))
    with pytest.raises(DamagedError):
        list(store.reveals.of_account("alice"))


def test_the_place_of_a_cell_is_told_unambiguously() -> None:
    cells = Cells(data_key)
    cell = cells.seal(1, opened.c.share, (1, 23), b"value")
    for row in ((12, 3), (1, 2, 3), (1, 23, 0), (123,)):
        with pytest.raises(DamagedError):
            cells.open(opened.c.share, row, cell)
    with pytest.raises(DamagedError):
        cells.open(opened.c.share, (1, 23), (2).to_bytes(4, "big") + cell[4:])  # the same under another key


class TestRotation:
    def test_everything_is_sealed_anew(self, store: Store) -> None:
        store.data_keys.add(2, 5.0)
        assert [(one.number, one.cells) for one in store.data_keys.all()] == [(1, 22), (2, 0)]
        assert self.finish(store) == 22
        assert [(one.number, one.cells) for one in store.data_keys.all()] == [(1, 0), (2, 22)]
        read_all(store)

    def test_an_interrupted_rotation_goes_on(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tpsi_server.store.datakeys.PAGE", 3)
        store.data_keys.add(2, 5.0)
        done, position = store.data_keys.reseal()
        assert (done, position) == (3, (0, 3))
        read_all(store)  # both keys are in use meanwhile
        assert self.finish(store) == 22 - 3
        assert store.data_keys.retire(1, 6.0) == 0
        with Store.open(store.location, lambda number: data_key({2: 2}[number])) as again:
            read_all_reveals = [len(list(again.reveals.of_account(name))) for name in ("alice", "bob")]
            assert read_all_reveals == [2, 2]

    def test_what_is_written_meanwhile_is_under_the_new_key(self, store: Store) -> None:
        store.data_keys.add(2, 5.0)
        deliver(store, 1, start=300)
        claim = store.matches.claim(1, 10, 60.0, 1.0)
        assert claim is not None
        matched = Opened(b"y" * 16, 9, share(9), b"a" * 16)
        store.matches.record(claim, [Match(v.id, matched, POOL) for v in claim.vouchers], 3.0)
        with store._database.read() as connection:
            cell = connection.execute(select(opened.c.share).order_by(opened.c.voucher.desc()).limit(1)).scalar_one()
        assert key_number(cell) == 2

    @pytest.mark.parametrize("number", [1, 77])
    def test_a_damaged_cell_keeps_no_other_under_the_old_key(
        self, store: Store, number: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Who can write into the database and has the old key must not be able to stop that it is rotated out."""
        with store._database.write() as connection:
            cell = number.to_bytes(4, "big") + bytes(60)
            connection.execute(update(opened).where(opened.c.voucher == 2).values(share=cell))
        store.data_keys.add(2, 5.0)
        assert self.finish(store) == 21
        assert "opened.share, row 2" in caplog.text
        assert [one.cells for one in store.data_keys.all()] == [number == 1, 21]

    def test_a_key_that_is_needed_is_not_retired(self, store: Store) -> None:
        store.data_keys.add(2, 5.0)
        assert store.data_keys.retire(1, 6.0) == 22
        with pytest.raises(KeyError):
            store.data_keys.retire(7, 6.0)
        with store._database.read() as connection:
            assert connection.execute(select(data_keys.c.retired)).scalars().all() == [None, None]

    def finish(self, store: Store) -> int:
        done = 0
        position: tuple[int, int] | None = (0, 0)
        while position is not None:
            count, position = store.data_keys.reseal(position)
            done += count
        return done


def test_payloads_are_gone_once_matched(store: Store) -> None:
    with store._database.read() as connection:
        assert set(connection.execute(select(vouchers.c.payload)).scalars()) == {None}
