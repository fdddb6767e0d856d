"""Vouchers coming in: many deliveries in one transaction, each voucher once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, func, literal, select, update

from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, insert_new
from tpsi_server.store.schema import VoucherState, accounts, epochs, vouchers

#: Identifiers in one query: below the number of parameters that every SQLite takes.
_LOOKUP = 500


class Answer(Enum):
    """What became of one voucher of a delivery."""

    NEW = "new"
    ALREADY = "already"  # the same octets were stored before
    OTHER = "other"  # another voucher of the account has its id
    NOT_TAKEN = "not taken"  # not stored before, and its epoch is not in force


@dataclass(frozen=True, slots=True)
class Incoming:
    """A voucher that decodes; `digest` identifies its octets."""

    voucher_id: bytes
    digest: bytes
    generation: int
    epoch: int
    payload: bytes

    def __repr__(self) -> str:
        return f"<Incoming voucher {self.voucher_id.hex()}>"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The vouchers that one account handed over in one call."""

    account: str
    vouchers: Sequence[Incoming]


class VoucherStore:
    """Takes vouchers in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, deliveries: Sequence[Delivery], now: float) -> list[list[Answer] | None]:
        """Store the vouchers of all deliveries in one transaction, durable when it returns.

        One answer for every voucher, in order; None for a delivery whose account is unknown or revoked.
        """
        with self._database.write() as connection:
            last = connection.execute(select(func.coalesce(func.max(vouchers.c.id), 0))).scalar_one()
            in_force = set(connection.execute(select(epochs.c.number).where(epochs.c.retired.is_(None))).scalars())
            stamp = to_stored(now)
            return [_deliver(connection, delivery, in_force, stamp, last) for delivery in deliveries]

    def count_waiting(self) -> int:
        """How many vouchers wait to be matched."""
        return self._count(VoucherState.WAITING)

    def count_failed(self) -> int:
        """How many vouchers were set aside because they could not be matched."""
        return self._count(VoucherState.FAILED)

    def _count(self, state: VoucherState) -> int:
        # written out, so that the database sees that the index of waiting vouchers answers it
        wanted = vouchers.c.state == literal(int(state), literal_execute=True)
        counted = select(func.count()).select_from(vouchers).where(wanted)
        with self._database.read() as connection:
            return int(connection.execute(counted).scalar_one())


def _deliver(
    connection: Connection, delivery: Delivery, in_force: Collection[int], now: int, last: int
) -> list[Answer] | None:
    """One delivery. Vouchers of epochs `in_force` are taken; rows above `last` are this transaction's."""
    wanted = (accounts.c.name == delivery.account) & accounts.c.revoked.is_(None)
    account = connection.execute(select(accounts.c.id).where(wanted)).scalar()
    if account is None:
        return None
    rows = [_row(account, voucher, now) for voucher in delivery.vouchers if voucher.epoch in in_force]
    added = insert_new(connection, vouchers, rows)
    if added:
        counts = {"vouchers": accounts.c.vouchers + added, "last_upload": now}
        connection.execute(update(accounts).where(accounts.c.id == account).values(counts))
    if added == len(delivery.vouchers):
        return [Answer.NEW] * added
    stored = _lookup(connection, account, [voucher.voucher_id for voucher in delivery.vouchers])
    fresh: set[bytes] = {voucher_id for voucher_id, (row, _) in stored.items() if row > last}
    return [_answer(voucher, stored, fresh) for voucher in delivery.vouchers]


def _row(account: int, voucher: Incoming, now: int) -> dict[str, object]:
    return {
        "account": account,
        "voucher_id": voucher.voucher_id,
        "digest": voucher.digest,
        "generation": voucher.generation,
        "epoch": voucher.epoch,
        "received": now,
        "state": int(VoucherState.WAITING),
        "attempts": 0,
        "payload": voucher.payload,
    }


def _lookup(connection: Connection, account: int, ids: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
    """Row number and digest of those vouchers of an account that are stored."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for start in range(0, len(ids), _LOOKUP):
        wanted = (vouchers.c.account == account) & vouchers.c.voucher_id.in_(ids[start : start + _LOOKUP])
        for row in connection.execute(select(vouchers.c.voucher_id, vouchers.c.id, vouchers.c.digest).where(wanted)):
            found[row.voucher_id] = (row.id, row.digest)
    return found


def _answer(voucher: Incoming, stored: dict[bytes, tuple[int, bytes]], fresh: set[bytes]) -> Answer:
    if voucher.voucher_id not in stored:
        return Answer.NOT_TAKEN
    if stored[voucher.voucher_id][1] != voucher.digest:
        return Answer.OTHER
    if voucher.voucher_id in fresh:
        fresh.discard(voucher.voucher_id)  # a copy later in the delivery was stored before
        return Answer.NEW
    return Answer.ALREADY
