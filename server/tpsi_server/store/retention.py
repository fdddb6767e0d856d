"""Retention: what is forgotten after how long. Payloads of vouchers that do not match are not here: they go at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace

from sqlalchemy import ColumnElement, Connection, case, delete, func, or_, select, update

from tpsi.errors import CallerError
from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, lease_time, retrying
from tpsi_server.store.schema import VoucherState, accounts, has_failed, opened, pools, reveals, vouchers
from tpsi_server.store.settings import SettingStore

#: Rows that are forgotten in one transaction: others wait for no more than that.
PAGE = 500
#: Under this name the periods are kept, for all replicas.
SETTING = "retention"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Periods:
    """Days after which something is forgotten; None keeps it.

    `ids`: ids and digests of vouchers that did not match, counted from when they came in. A device that sends one
    again later has it matched again, which changes nothing else. `shares`: opened vouchers that are not revealed,
    counted likewise; matches that are further apart do not add up to a threshold any more. `reveals`: what was
    revealed, counted from when it was. `set_aside`: the payloads of vouchers that could not be matched, counted from
    when they came in; they are not matched any more then, and their ids go as those of others do.
    """

    ids: int | None = 90
    shares: int | None = None
    reveals: int | None = None
    set_aside: int | None = None

    def __post_init__(self) -> None:
        for period in astuple(self):
            if period is not None and (type(period) is not int or not 1 <= period <= 36_500):
                raise CallerError("a period is 1 to 36500 days")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were forgotten of each kind."""

    ids: int
    shares: int
    reveals: int
    set_aside: int


class RetentionStore:
    """Keeps the periods, and forgets what is past them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settings = SettingStore(database)

    def periods(self) -> Periods:
        """The periods that are set."""
        return _periods(self._settings.get(SETTING))

    def set_periods(self, **days: int | None) -> Periods:
        """Set some of the periods, by their names, for all replicas; all of them as they are now."""
        return _periods(self._settings.change(SETTING, lambda before: asdict(replace(_periods(before), **days))))

    def apply(self, now: float) -> Forgotten:
        """Forget what is past its period, a few rows at a time; it may stop anywhere."""
        periods = self.periods()
        forgotten = Forgotten(
            set_aside=self._all(self._forget_set_aside, periods.set_aside, now),
            shares=self._all(self._forget_shares, periods.shares, now),
            reveals=self._all(self._forget_reveals, periods.reveals, now),
            ids=self._all(self._forget_ids, periods.ids, now),
        )
        if any(astuple(forgotten)):
            self._database.sweep()
        return forgotten

    def _all(self, forget: Callable[[int, int], int], period: int | None, now: float) -> int:
        total = 0
        while period is not None and (count := forget(to_stored(now - period * _DAY), to_stored(now))):
            total += count
        return total

    @retrying
    def _forget_ids(self, before: int, _now: int) -> int:
        unmatched = vouchers.c.state == int(VoucherState.UNMATCHED)
        old = select(vouchers.c.id).where(unmatched, vouchers.c.received < before).order_by(vouchers.c.id).limit(PAGE)
        with self._database.write() as connection:
            ids = connection.execute(old.with_for_update(skip_locked=True)).scalars().all()
            connection.execute(delete(vouchers).where(vouchers.c.id.in_(ids)))
        return len(ids)

    @retrying
    def _forget_set_aside(self, before: int, _now: int) -> int:
        old = select(vouchers.c.id).where(has_failed, vouchers.c.received < before).order_by(vouchers.c.id).limit(PAGE)
        with self._database.write() as connection:
            ids = connection.execute(old.with_for_update(skip_locked=True)).scalars().all()
            forgotten = update(vouchers).where(vouchers.c.id.in_(ids))
            connection.execute(forgotten.values(state=int(VoucherState.UNMATCHED), payload=None))
        return len(ids)

    @retrying
    def _forget_shares(self, before: int, now: int) -> int:
        revealed = select(reveals.c.voucher)
        joined = opened.join(vouchers, opened.c.voucher == vouchers.c.id).join(pools, opened.c.pool == pools.c.id)
        old = (vouchers.c.received < before) & opened.c.voucher.not_in(revealed)
        chosen = select(opened.c.voucher).select_from(joined).order_by(opened.c.voucher).limit(PAGE)
        with self._database.write() as connection:
            at_rest = _at_rest(lease_time(connection, now))
            ids = connection.execute(chosen.where(old, at_rest).with_for_update(of=pools)).scalars().all()
            _drop_shares(connection, ids)
        return len(ids)

    @retrying
    def _forget_reveals(self, before: int, now: int) -> int:
        joined = reveals.join(opened, reveals.c.voucher == opened.c.voucher).join(pools, opened.c.pool == pools.c.id)
        chosen = select(reveals.c.voucher).select_from(joined).order_by(reveals.c.voucher).limit(PAGE)
        with self._database.write() as connection:
            old = (reveals.c.revealed < before) & _at_rest(lease_time(connection, now))
            ids = connection.execute(chosen.where(old).with_for_update(of=pools)).scalars().all()
            gone = reveals.c.voucher.in_(ids)
            counted = select(reveals.c.account, func.count()).where(gone).group_by(reveals.c.account)
            for account, count in connection.execute(counted.order_by(reveals.c.account)).all():
                fewer = accounts.c.revealed - count
                connection.execute(update(accounts).where(accounts.c.id == account).values(revealed=fewer))
            connection.execute(delete(reveals).where(gone))
            _drop_shares(connection, ids)
        return len(ids)


def _periods(value: Mapping[str, int | None] | None) -> Periods:
    """The periods that are kept; what another version did not know is as it is at first."""
    known = {field.name for field in fields(Periods)}
    return Periods(**{name: days for name, days in (value or {}).items() if name in known})


def _at_rest(now: int) -> ColumnElement[bool]:
    """Pools that nobody examines: what an examination has read stays until it is recorded."""
    return or_(pools.c.leased_until.is_(None), pools.c.leased_until < now)


def _drop_shares(connection: Connection, ids: Sequence[int]) -> None:
    """Delete opened vouchers; what is left of them is what is left of one that did not match."""
    gone = opened.c.voucher.in_(ids)
    columns = opened.c.pool, pools.c.account, func.count()
    counted = select(*columns).select_from(opened.join(pools, opened.c.pool == pools.c.id)).where(gone)
    for pool, account, count in connection.execute(counted.group_by(opened.c.pool, pools.c.account)).all():
        fewer = pools.c.opened - count
        examined = case((pools.c.examined > fewer, fewer), else_=pools.c.examined)
        connection.execute(update(pools).where(pools.c.id == pool).values(opened=fewer, examined=examined))
        fewer = accounts.c.opened - count
        connection.execute(update(accounts).where(accounts.c.id == account).values(opened=fewer))
    connection.execute(delete(opened).where(gone))
    unmatched = int(VoucherState.UNMATCHED)
    connection.execute(update(vouchers).where(vouchers.c.id.in_(ids)).values(state=unmatched))
