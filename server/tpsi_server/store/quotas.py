"""Quotas: what an account may send, what it has sent, and what of it is too much."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from tpsi.errors import CallerError
from tpsi_server.store.database import Database, batched, insert_new, retrying
from tpsi_server.store.schema import account_limits, account_usage, accounts

#: Milliseconds of a day: a day begins at midnight, UTC.
DAY = 86_400_000
#: Above what any setting can mean; every database counts so far.
MAX_LIMIT = 1 << 53


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account may send; 0 is no limit.

    `vouchers` in all, `octets_a_day` of new vouchers, and `vouchers_a_second` over a longer time.
    """

    vouchers: int = 0
    octets_a_day: int = 0
    vouchers_a_second: int = 0

    def __post_init__(self) -> None:
        for limit in (self.vouchers, self.octets_a_day, self.vouchers_a_second):
            if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit <= MAX_LIMIT:
                raise CallerError(f"a limit is a whole number from 0 (no limit) to 2^53, not {limit!r}")

    @property
    def limits(self) -> bool:
        """Whether there is anything that it does not allow."""
        return bool(self.vouchers or self.octets_a_day)


UNLIMITED = Allowance()
_NAMES = tuple(field.name for field in fields(Allowance))


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The answer for a delivery of which nothing was stored: the account may not send so much.

    `retry_after`: seconds until it may again, None if that is not a matter of time.
    """

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands when a transaction begins: what it may send, and what it has sent."""

    allowance: Allowance
    vouchers: int
    octets: int
    counted: bool  # whether there is a row of its usage

    def takes(self, count: int, octets: int) -> bool:
        """Whether so many more vouchers, of so many octets, are within its quotas."""
        most, a_day = self.allowance.vouchers, self.allowance.octets_a_day
        return (not most or self.vouchers + count <= most) and (not a_day or self.octets + octets <= a_day)

    def refusal(self, count: int, now: int) -> Exceeded:
        """The answer for so many more vouchers, which it does not take."""
        most = self.allowance.vouchers
        if most and self.vouchers + count > most:
            return Exceeded(None)
        return Exceeded((DAY - now % DAY) / 1000)


class QuotaStore:
    """The limits of single accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retrying
    def limit(self, name: str, limits: Mapping[str, int | None]) -> bool:
        """Set some of an account's limits, by their names in Allowance; None is what the server's settings say.

        False if there is no account of this name.
        """
        Allowance(**{limit: value for limit, value in limits.items() if value is not None})
        with self._database.write() as connection:
            number = connection.execute(select(accounts.c.id).where(accounts.c.name == name)).scalar()
            if number is None:
                return False
            insert_new(connection, account_limits, [{"account": number}])
            mine = account_limits.c.account == number
            if limits:
                connection.execute(update(account_limits).where(mine).values(**limits))
            columns = (account_limits.c[name] for name in _NAMES)
            connection.execute(delete(account_limits).where(mine, *(column.is_(None) for column in columns)))
        return True

    def allowance(self, name: str, default: Allowance) -> Allowance:
        """What an account may send; `default` where nothing is set for it, or it is not there."""
        joined = account_limits.join(accounts, account_limits.c.account == accounts.c.id)
        chosen = select(account_limits).select_from(joined).where(accounts.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(chosen).first()
        return default if row is None else _merged(row, default)


def standings(connection: Connection, numbers: Collection[int], default: Allowance, now: int) -> dict[int, Standing]:
    """Where accounts stand, by their row numbers."""
    joined = accounts.outerjoin(account_usage, account_usage.c.account == accounts.c.id).outerjoin(
        account_limits, account_limits.c.account == accounts.c.id
    )
    columns = (
        accounts.c.id,
        accounts.c.vouchers.label("sent"),
        account_usage.c.day,
        account_usage.c.octets,
        account_limits.c.vouchers,
        account_limits.c.octets_a_day,
        account_limits.c.vouchers_a_second,
    )
    found: dict[int, Standing] = {}
    for some in batched(sorted(numbers)):
        for row in connection.execute(select(*columns).select_from(joined).where(accounts.c.id.in_(some))):
            octets = row.octets if row.day == now // DAY else 0
            found[row.id] = Standing(_merged(row, default), row.sent, octets or 0, row.day is not None)
    return found


def count_octets(connection: Connection, new: Mapping[int, int], known: Mapping[int, Standing], now: int) -> None:
    """Add octets, by account, to what was sent today."""
    day = now // DAY
    rows = [{"number": number, "more": octets} for number, octets in sorted(new.items())]
    if fresh := [row for row in rows if not known[row["number"]].counted]:
        values = {"account": bindparam("number"), "octets": bindparam("more"), "day": day}
        connection.execute(insert(account_usage).values(values), fresh)
    if rest := [row for row in rows if known[row["number"]].counted]:
        so_far = case((account_usage.c.day == day, account_usage.c.octets), else_=0)
        changed = {"octets": so_far + bindparam("more"), "day": day}
        mine = account_usage.c.account == bindparam("number")
        connection.execute(update(account_usage).where(mine).values(changed), rest)


def _merged(row: Any, default: Allowance) -> Allowance:
    own = {name: getattr(row, name) for name in _NAMES if getattr(row, name) is not None}
    return replace(default, **own) if own else default
