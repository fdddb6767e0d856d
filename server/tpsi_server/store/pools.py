"""Pools being examined: which are due, what is in them, and what the examinations found."""

import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, true, update

from tpsi import CountBy, Examination, Opened, Pool, Secret, Sharing, Verdict
from tpsi_server.store.cells import Cells, DamagedError
from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, lease_time, retrying
from tpsi_server.store.flags import Flag, raise_flag
from tpsi_server.store.matches import TOKEN_SIZE
from tpsi_server.store.opening import Writing, insert_reveals, open_with_key, set_verdicts
from tpsi_server.store.schema import has_changed, opened, pools, vouchers

#: An examination is due when a pool has grown by one part in this many since the last one, …
GROWTH = 50
#: … or this many times as long ago as the last one took, so that a pool costs at most a tenth of one core.
PAUSE = 10
#: Opened vouchers and octets of them that are examined together: what fits in memory beside the rest.
MAX_SHARES, MAX_OCTETS = 20_000, 128 << 20
#: Opened vouchers read at a time.
_PAGE = 100

_log = logging.getLogger(__name__)

_FLAGS = {
    Verdict.CONFLICTING: Flag.CONFLICTING,
    Verdict.MALFORMED: Flag.MALFORMED,
    Verdict.UNOPENED: Flag.UNOPENED,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A pool that is to be examined, which nobody else does until the lease ends; `total` counts its opened vouchers.

    It has not been read: that takes as long as there are vouchers in it, and whoever answers devices has no such time.
    """

    token: bytes
    id: int
    account: int
    pool: Pool
    total: int


@dataclass(frozen=True, slots=True)
class Due(Taken):
    """A pool with what is to be examined.

    `vouchers[i]` is the row number of `opened[i]` and `verdicts[i]` its verdict until now. `total` counts all
    opened vouchers of the pool: more than are here if together they are too large.
    """

    vouchers: tuple[int, ...]
    opened: tuple[Opened, ...]
    verdicts: tuple[str | None, ...]

    def __repr__(self) -> str:
        return f"<Due pool {self.id} of {self.total} opened vouchers>"


@dataclass(frozen=True, slots=True)
class News:
    """What is new in an examination, and to be written down: verdicts that have changed, and reveals.

    Both by the row numbers of vouchers. Whoever answers devices writes it down, hence no more than that.
    """

    outcome: str
    verdicts: tuple[tuple[int, str | None], ...]
    revealed: tuple[tuple[int, bytes], ...]
    flags: frozenset[Flag]
    ad_key: Secret | None

    @classmethod
    def of(cls, due: Due, found: Examination) -> "News":
        """What is new in an examination of what was due."""
        verdicts: list[tuple[int, str | None]] = []
        revealed: list[tuple[int, bytes]] = []
        for number, before, verdict, data in zip(
            due.vouchers, due.verdicts, found.verdicts, found.associated, strict=True
        ):
            after = None if verdict is Verdict.WITHHELD else verdict.value
            if after != before:
                verdicts.append((number, after))
                if data is not None:
                    revealed.append((number, data))
        flags = {_FLAGS[verdict] for verdict in found.verdicts if verdict in _FLAGS}
        if len(due.vouchers) < due.total:
            flags.add(Flag.OVERSIZED)
        return cls(found.outcome.name, tuple(verdicts), tuple(revealed), frozenset(flags), found.ad_key)

    def __repr__(self) -> str:
        return f"<News {self.outcome}>"


class PoolStore:
    """Hands out pools that changed and takes what their examinations found."""

    def __init__(self, database: Database, cells: Cells) -> None:
        self._database = database
        self._cells = cells

    def take(self, lease: float, now: float, *, patient: bool = True) -> Taken | None:
        """Claim one pool that is due for `lease` seconds; None if there is none.

        It is one of the account whose turn is longest ago; of these one that was never examined, else the one whose
        examination is longest ago. Without `patient` every pool that has changed at all is due.
        """
        token, given = secrets.token_bytes(TOKEN_SIZE), to_stored(now)
        with self._database.read() as connection:
            if connection.execute(_due(lease_time(connection, given), patient=patient)).first() is None:
                return None  # mostly so, and found without a turn to write
        row = self._take(token, given, to_stored(lease), patient=patient)
        if row is None:
            return None
        sharing = Sharing(row.threshold, row.rows, CountBy(row.count_by))
        return Taken(token, row.id, row.account, Pool(row.list_id, row.generation, sharing), row.opened)

    def read(self, taken: Taken) -> Due:
        """The opened vouchers of a pool, the earliest first, as many as are examined together; DamagedError."""
        chosen = _contents(opened.c.pool == taken.id).limit(MAX_SHARES).execution_options(yield_per=_PAGE)
        numbers: list[int] = []
        contents: list[Opened] = []
        verdicts: list[str | None] = []
        octets = 0
        with self._database.read() as connection, connection.execute(chosen) as rows:
            for one in rows:
                octets += len(one.share) + len(one.adct)
                if octets > MAX_OCTETS:
                    break
                numbers.append(one.voucher)
                contents.append(self._opened(one, taken.id, taken.pool.generation))
                verdicts.append(one.verdict)
        complete = tuple(numbers), tuple(contents), tuple(verdicts)
        return Due(taken.token, taken.id, taken.account, taken.pool, taken.total, *complete)

    @retrying
    def release(self, token: bytes) -> None:
        """Give a claim back."""
        values = {"claim": None, "leased_until": None}
        with self._database.write() as connection:
            connection.execute(update(pools).where(pools.c.claim == token).values(values))

    @retrying
    def record(self, taken: Taken, found: News, took: float, now: float) -> int:
        """Record an examination that took some seconds; returns how many vouchers are newly revealed.

        Does nothing if the lease ran out in the meantime: somebody else has the pool.
        """
        values: dict[str, Any] = {
            "claim": None,
            "leased_until": None,
            "examined": taken.total,
            "took": to_stored(took),
            "outcome": found.outcome,
        }
        with self._database.write() as connection:
            stamp = to_stored(now)
            to = Writing(connection, self._cells, stamp)
            if found.ad_key is not None:
                values["ad_key"] = to.seal(pools.c.ad_key, (taken.id, taken.account), found.ad_key.reveal())
            mine = (pools.c.id == taken.id) & (pools.c.claim == taken.token)
            values["examined_at"] = lease_time(connection, stamp)
            if connection.execute(update(pools).where(mine).values(values)).rowcount != 1:
                return 0
            set_verdicts(connection, [{"number": number, "value": value} for number, value in found.verdicts])
            for flag in found.flags:
                raise_flag(connection, flag, taken.account, stamp)
            revealed = insert_reveals(to, taken.account, found.revealed)
            if found.ad_key is not None:
                revealed += self._open_rest(to, taken, found.ad_key)
            return revealed

    def set_aside(self, taken: Taken, reason: str, now: float) -> None:
        """Record that a pool is damaged, which is nobody's fault that has an account: it rests until it has grown."""
        _log.error("pool %d is not examined: %s", taken.id, reason)
        self._rest(taken.id, taken.token, taken.total, to_stored(now), outcome="DAMAGED")

    def give_up(self, taken: Taken, now: float) -> None:
        """Record that an examination came to nothing: the pool rests until it has grown."""
        self._rest(taken.id, taken.token, taken.total, to_stored(now), outcome="FAILED", flagged=taken.account)

    @retrying
    def _take(self, token: bytes, given: int, lease: int, *, patient: bool) -> Any:
        """The row of a pool that is due, claimed; None if there is none."""
        with self._database.write() as connection:
            stamp = lease_time(connection, given)
            row = connection.execute(_due(stamp, patient=patient).with_for_update(skip_locked=True, of=pools)).first()
            if row is not None:
                values = {"claim": token, "leased_until": stamp + lease}
                connection.execute(update(pools).where(pools.c.id == row.id).values(values))
        return row

    @retrying
    def _rest(
        self, number: int, token: bytes, total: int, given: int, *, outcome: str, flagged: int | None = None
    ) -> None:
        """Leave a pool as it is until it has grown; `flagged` is the account to blame."""
        values = {"claim": None, "leased_until": None, "examined": total, "outcome": outcome}
        with self._database.write() as connection:
            stamp = lease_time(connection, given)
            mine = (pools.c.id == number) & (pools.c.claim == token)
            connection.execute(update(pools).where(mine).values(examined_at=stamp, **values))
            if flagged is not None:
                raise_flag(connection, Flag.FAILED, flagged, stamp)

    def _open_rest(self, to: Writing, taken: Taken, key: Secret) -> int:
        """Judge what was opened but not examined: it came in the meantime, or was too much."""
        revealed, last = 0, 0
        while True:
            rest = (opened.c.pool == taken.id) & opened.c.verdict.is_(None) & (opened.c.voucher > last)
            page = to.connection.execute(_contents(rest).limit(_PAGE)).all()
            if not page:
                return revealed
            revealed += open_with_key(to, taken.account, key, list(self._sound(taken, page)))
            last = page[-1].voucher

    def _sound(self, taken: Taken, rows: Iterable[Any]) -> Iterator[tuple[int, Opened]]:
        """The opened vouchers of those rows that are not damaged, by row numbers."""
        for row in rows:
            try:
                yield row.voucher, self._opened(row, taken.id, taken.pool.generation)
            except DamagedError as error:
                _log.error("a voucher of pool %d is left out: %s", taken.id, error)

    def _opened(self, row: Any, pool: int, generation: int) -> Opened:
        where = row.voucher, pool
        share = self._cells.open(opened.c.share, where, row.share)
        return Opened(row.voucher_id, generation, share, self._cells.open(opened.c.adct, where, row.adct))


def _due(now: int, *, patient: bool) -> Select[Any]:
    """The pool that is due next, if there is one.

    Accounts take turns: a device can make as many pools as it likes, each with another generation.
    """
    free = or_(pools.c.leased_until.is_(None), pools.c.leased_until < now)
    grown = pools.c.opened * GROWTH >= pools.c.examined * (GROWTH + 1)
    rested = pools.c.examined_at + PAUSE * pools.c.took <= now
    due = has_changed & free & (or_(grown, rested) if patient else true())
    turns = _last_turns(select(pools.c.account).where(has_changed, free), now).subquery()
    order = turns.c.last, func.coalesce(pools.c.examined_at, 0), pools.c.id
    return select(pools).join(turns, turns.c.account == pools.c.account).where(due).order_by(*order).limit(1)


def _last_turns(owners: Select[Any], now: int) -> Select[Any]:
    """When a pool of each of some accounts was last examined: now, if one is being examined."""
    examined = func.coalesce(pools.c.examined_at, 0)
    last = func.max(case((pools.c.leased_until >= now, now), else_=examined)).label("last")
    return select(pools.c.account, last).where(pools.c.account.in_(owners)).group_by(pools.c.account)


def _contents(condition: ColumnElement[bool]) -> Select[Any]:
    """Opened vouchers, the earliest first."""
    columns = opened.c.voucher, opened.c.share, opened.c.adct, opened.c.verdict, vouchers.c.voucher_id
    joined = opened.join(vouchers)
    return select(*columns).select_from(joined).where(condition).order_by(opened.c.voucher)
