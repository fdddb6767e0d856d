"""Vouchers being matched: claims with leases, and what matching makes of them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, literal, select, update

from tpsi import Opened, Pool
from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, insert_new
from tpsi_server.store.flags import Flag, raise_flags
from tpsi_server.store.opening import open_vouchers
from tpsi_server.store.schema import VoucherState, accounts, claims, epochs, is_waiting, vouchers

TOKEN_SIZE = 16
#: A voucher whose result did not come after so many claims is set aside.
MAX_ATTEMPTS = 3


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


class MatchStore:
    """Hands out waiting vouchers and takes the results."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def epochs(self) -> list[int]:
        """The epochs that vouchers wait for, claimed ones included."""
        waiting = select(vouchers.c.id).where(is_waiting, vouchers.c.epoch == epochs.c.number).exists()
        with self._database.read() as connection:
            return list(connection.execute(select(epochs.c.number).where(waiting)).scalars())

    def claim(self, epoch: int, limit: int, lease: float, now: float) -> Claim | None:
        """Claim up to `limit` waiting vouchers of an epoch for `lease` seconds; None if there are none.

        Those come first whose result did not come after an earlier claim. The third time a voucher is
        claimed alone: if it is the cause, it takes no other with it. If that fails too it is set aside.
        """
        token, until = secrets.token_bytes(TOKEN_SIZE), to_stored(now + lease)
        with self._database.write() as connection:
            _set_aside(connection, to_stored(now))
            ids = _lapsed(connection, epoch, limit, to_stored(now)) or _fresh(connection, epoch, limit)
            if not ids:
                return None
            _take(connection, ids, token, until)
            columns = vouchers.c.id, accounts.c.name, vouchers.c.payload
            joined = claims.join(vouchers).join(accounts, vouchers.c.account == accounts.c.id)
            chosen = select(*columns).select_from(joined).where(claims.c.token == token).order_by(vouchers.c.id)
            rows = connection.execute(chosen).all()
        return Claim(token, epoch, tuple(Claimed(row.id, row.name, row.payload) for row in rows))

    def release(self, token: bytes) -> None:
        """Give a claim back, as if it had not been made."""
        mine = claims.c.token == token
        with self._database.write() as connection:
            connection.execute(delete(claims).where(mine, claims.c.attempts == 1))
            values = {"leased_until": 0, "attempts": claims.c.attempts - 1}
            connection.execute(update(claims).where(mine).values(values))

    def lapse(self, token: bytes) -> None:
        """End the lease of a claim, whose work came to nothing."""
        with self._database.write() as connection:
            connection.execute(update(claims).where(claims.c.token == token).values(leased_until=0))

    def retry_failed(self) -> int:
        """Let the vouchers that were set aside wait again; returns how many."""
        failed = vouchers.c.state == literal(int(VoucherState.FAILED), literal_execute=True)
        with self._database.write() as connection:
            return connection.execute(update(vouchers).where(failed).values(state=int(VoucherState.WAITING))).rowcount

    def record(self, claim: Claim, results: Sequence[Match], now: float) -> Recorded:
        """Record the results of a claim in one transaction.

        Payloads are deleted, but for those of vouchers that failed. Results for vouchers that are no
        longer claimed under this token are left out: somebody else has them.
        """
        stamp = to_stored(now)
        with self._database.write() as connection:
            mine = select(claims.c.voucher).where(claims.c.token == claim.token)
            held = set(connection.execute(mine).scalars())
            results = [result for result in results if result.id in held]
            matched = [(r.id, r.opened, r.pool) for r in results if r.opened is not None and r.pool is not None]
            failed = [result.id for result in results if result.failed]
            gone = [result.id for result in results if result.opened is None and not result.failed]
            _finish(connection, gone, VoucherState.UNMATCHED)
            _finish(connection, failed, VoucherState.FAILED)
            raise_flags(connection, Flag.FAILED, failed, stamp)
            _finish(connection, [number for number, _, _ in matched], VoucherState.MATCHED)
            revealed = open_vouchers(connection, matched, stamp)
        return Recorded(len(matched), len(gone), len(failed), revealed)


def _fresh(connection: Connection, epoch: int, limit: int) -> list[int]:
    """The row numbers of waiting vouchers that were never claimed."""
    wanted = is_waiting & (vouchers.c.epoch == epoch) & vouchers.c.id.not_in(select(claims.c.voucher))
    chosen = select(vouchers.c.id).where(wanted).order_by(vouchers.c.id).limit(limit)
    return list(connection.execute(chosen.with_for_update(skip_locked=True)).scalars())


def _lapsed(connection: Connection, epoch: int, limit: int, now: int) -> list[int]:
    """The row numbers of waiting vouchers whose claim is over: those claimed once, or else a single one."""
    lapsed = (claims.c.leased_until < now) & (vouchers.c.epoch == epoch)
    chosen = select(claims.c.voucher).select_from(claims.join(vouchers)).where(lapsed).order_by(claims.c.voucher)
    chosen = chosen.with_for_update(skip_locked=True)
    once = chosen.where(claims.c.attempts == 1).limit(limit)
    return list(connection.execute(once).scalars()) or list(connection.execute(chosen.limit(1)).scalars())


def _take(connection: Connection, ids: Sequence[int], token: bytes, until: int) -> None:
    """Claim vouchers anew or again."""
    rows = [{"voucher": number, "token": token, "leased_until": until, "attempts": 0} for number in ids]
    insert_new(connection, claims, rows)
    values = {"token": token, "leased_until": until, "attempts": claims.c.attempts + 1}
    again = update(claims).where(claims.c.voucher == bindparam("number")).values(values)
    connection.execute(again, [{"number": number} for number in ids])


def _set_aside(connection: Connection, now: int) -> None:
    hopeless = (claims.c.leased_until < now) & (claims.c.attempts >= MAX_ATTEMPTS)
    ids = list(connection.execute(select(claims.c.voucher).where(hopeless)).scalars())
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
