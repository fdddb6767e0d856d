"""Vouchers being matched: claims with leases, and what matching makes of them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, literal, select, update

from tpsi import Opened, Pool
from tpsi_server.store.cells import Cells
from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, batched, insert_new, lease_time, retrying
from tpsi_server.store.flags import Flag, raise_flags
from tpsi_server.store.opening import Writing, open_vouchers
from tpsi_server.store.schema import VoucherState, accounts, claims, epochs, has_failed, is_waiting, vouchers

TOKEN_SIZE = 16
#: A voucher whose result did not come after so many claims is set aside.
MAX_ATTEMPTS = 3
#: Results that are written down in one transaction: whoever stores vouchers waits for no more than that.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Claimed:
    """A voucher that is to be matched."""

    id: int
    account: str
    payload: bytes

    def __repr__(self) -> str:
        return f"<Claimed voucher {self.id}>"


@dataclass(frozen=True, slots=True)
class Claim:
    """Vouchers of one epoch that nobody else works on until the lease ends."""

    token: bytes
    epoch: int
    vouchers: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What matching made of one voucher: what it opened to and the pool of that, or no match; or it `failed`."""

    id: int
    opened: Opened | None = None
    pool: Pool | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many results were recorded: fewer than were claimed if the lease ran out in the meantime."""

    matched: int
    unmatched: int
    failed: int
    revealed: int

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


class MatchStore:
    """Hands out waiting vouchers and takes the results."""

    def __init__(self, database: Database, cells: Cells) -> None:
        self._database = database
        self._cells = cells

    def epochs(self) -> list[int]:
        """The epochs that vouchers wait for, claimed ones included."""
        waiting = select(vouchers.c.id).where(is_waiting, vouchers.c.epoch == epochs.c.number).exists()
        with self._database.read() as connection:
            return list(connection.execute(select(epochs.c.number).where(waiting)).scalars())

    @retrying
    def claim(self, epoch: int, limit: int, lease: float, now: float, *, last: int | None = None) -> Claim | None:
        """Claim up to `limit` waiting vouchers of an epoch for `lease` seconds; None if there are none.

        With `last`, a row number, those that came later are left alone, unless they were claimed before.

        Those come first whose result did not come after an earlier claim. The third time a voucher is
        claimed alone: if it is the cause, it takes no other with it. If that fails too it is set aside.
        """
        token = secrets.token_bytes(TOKEN_SIZE)
        with self._database.write() as connection:
            stamp = lease_time(connection, to_stored(now))
            _set_aside(connection, stamp)
            values = {"token": token, "leased_until": stamp + to_stored(lease)}
            if not _take_lapsed(connection, epoch, limit, stamp, values):
                _take_fresh(connection, epoch, limit, values, last)
            columns = vouchers.c.id, accounts.c.name, vouchers.c.payload
            joined = claims.join(vouchers).join(accounts, vouchers.c.account == accounts.c.id)
            chosen = select(*columns).select_from(joined).where(claims.c.token == token).order_by(vouchers.c.id)
            rows = connection.execute(chosen).all()
        taken = tuple(Claimed(row.id, row.name, row.payload) for row in rows)
        return Claim(token, epoch, taken) if taken else None

    @retrying
    def release(self, token: bytes) -> None:
        """Give a claim back, as if it had not been made."""
        mine = claims.c.token == token
        with self._database.write() as connection:
            connection.execute(delete(claims).where(mine, claims.c.attempts == 1))
            values = {"leased_until": 0, "attempts": claims.c.attempts - 1}
            connection.execute(update(claims).where(mine).values(values))

    @retrying
    def lapse(self, token: bytes) -> None:
        """End the lease of a claim, whose work came to nothing."""
        with self._database.write() as connection:
            connection.execute(update(claims).where(claims.c.token == token).values(leased_until=0))

    @retrying
    def retry_failed(self) -> int:
        """Let the vouchers that were set aside wait again; returns how many."""
        with self._database.write() as connection:
            again = update(vouchers).where(has_failed).values(state=int(VoucherState.WAITING))
            return connection.execute(again).rowcount

    def record(self, claim: Claim, results: Sequence[Match], now: float) -> Recorded:
        """Record the results of a claim, some at a time, so that others that write get their turn in between.

        Payloads are deleted, but for those of vouchers that failed. Results for vouchers that are no
        longer claimed under this token are left out: somebody else has them.
        """
        parts = [results[start : start + AT_ONCE] for start in range(0, len(results), AT_ONCE)]
        return sum((self._record(claim, part, to_stored(now)) for part in parts), Recorded(0, 0, 0, 0))

    @retrying
    def _record(self, claim: Claim, results: Sequence[Match], stamp: int) -> Recorded:
        with self._database.write() as connection:
            mine = select(claims.c.voucher).where(claims.c.token == claim.token).with_for_update()
            held = set(connection.execute(mine).scalars())
            results = [result for result in results if result.id in held]
            matched = [(r.id, r.opened, r.pool) for r in results if r.opened is not None and r.pool is not None]
            failed = [result.id for result in results if result.failed]
            gone = [result.id for result in results if result.opened is None and not result.failed]
            _finish(connection, gone, VoucherState.UNMATCHED)
            _finish(connection, failed, VoucherState.FAILED)
            raise_flags(connection, Flag.FAILED, failed, stamp)
            _finish(connection, [number for number, _, _ in matched], VoucherState.MATCHED)
            revealed = open_vouchers(Writing(connection, self._cells, stamp), matched)
        return Recorded(len(matched), len(gone), len(failed), revealed)


def _take_fresh(connection: Connection, epoch: int, limit: int, values: Mapping[str, object], last: int | None) -> None:
    """Claim waiting vouchers that were never claimed.

    Where another transaction claimed them at the same moment, the next ones are taken.
    """
    wanted = is_waiting & (vouchers.c.epoch == epoch) & vouchers.c.id.not_in(select(claims.c.voucher))
    if last is not None:
        wanted &= vouchers.c.id <= last
    chosen = select(vouchers.c.id).where(wanted).order_by(vouchers.c.id).limit(limit)
    while ids := connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all():
        rows = [{"voucher": number, "attempts": 1, **values} for number in ids]
        if insert_new(connection, claims, rows):
            return


def _take_lapsed(connection: Connection, epoch: int, limit: int, now: int, values: Mapping[str, object]) -> int:
    """Claim vouchers whose claim is over: those claimed once, or else a single one; how many."""
    lapsed = (claims.c.leased_until < now) & (vouchers.c.epoch == epoch)
    chosen = select(claims.c.voucher).select_from(claims.join(vouchers)).where(lapsed).order_by(claims.c.voucher)
    chosen = chosen.with_for_update(skip_locked=True, of=claims)
    once = chosen.where(claims.c.attempts == 1).limit(limit)
    ids = connection.execute(once).scalars().all() or connection.execute(chosen.limit(1)).scalars().all()
    for some in batched(ids):
        again = update(claims).where(claims.c.voucher.in_(some)).values(attempts=claims.c.attempts + 1, **values)
        connection.execute(again)
    return len(ids)


def _set_aside(connection: Connection, now: int) -> None:
    hopeless = (claims.c.leased_until < now) & (claims.c.attempts >= MAX_ATTEMPTS)
    chosen = select(claims.c.voucher).where(hopeless).order_by(claims.c.voucher).with_for_update(skip_locked=True)
    ids = connection.execute(chosen).scalars().all()
    _finish(connection, ids, VoucherState.FAILED)
    raise_flags(connection, Flag.FAILED, ids, now)


def _finish(connection: Connection, ids: Sequence[int], state: VoucherState) -> None:
    """Take vouchers out of the queue; what failed keeps its payload, for whoever looks into it."""
    if not ids:
        return
    rows = [{"number": number} for number in ids]
    statement = update(vouchers).where(vouchers.c.id == bindparam("number")).values(state=literal(int(state)))
    if state is not VoucherState.FAILED:
        statement = statement.values(payload=None)
    connection.execute(statement, rows)
    connection.execute(delete(claims).where(claims.c.voucher == bindparam("number")), rows)
