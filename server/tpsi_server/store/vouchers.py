"""Vouchers coming in: many deliveries in one transaction, each voucher once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, bindparam, func, literal, select, update

from tpsi_server.store.clock import to_stored
from tpsi_server.store.database import Database, batched, insert_new, retrying
from tpsi_server.store.schema import VoucherState, accounts, epochs, vouchers

#: An account's row number and a voucher id.
_Key = tuple[int, bytes]


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

    @retrying
    def store(self, deliveries: Sequence[Delivery], now: float) -> list[list[Answer] | None]:
        """Store the vouchers of all deliveries in one transaction, durable when it returns.

        One answer for every voucher, in order; None for a delivery whose account is unknown or revoked.
        """
        stamp = to_stored(now)
        with self._database.write() as connection:
            owners = _owners(connection, {delivery.account for delivery in deliveries})
            in_force = _in_force(connection)
            last = connection.execute(select(func.coalesce(func.max(vouchers.c.id), 0))).scalar_one()
            known = [delivery for delivery in deliveries if delivery.account in owners]
            rows = [
                _row(owners[delivery.account], voucher, stamp)
                for delivery in known
                for voucher in delivery.vouchers
                if voucher.epoch in in_force
            ]
            added = insert_new(connection, vouchers, rows)
            if added == sum(len(delivery.vouchers) for delivery in known):
                answers = [[Answer.NEW] * len(delivery.vouchers) for delivery in known]
            else:
                answers = _compare(connection, owners, known, last)
            _count(connection, owners, known, answers, stamp)
        answered = iter(answers)
        return [next(answered) if delivery.account in owners else None for delivery in deliveries]

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


def _owners(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """The row numbers of those accounts that may deliver. The rows stay locked: transactions of one take turns."""
    found: dict[str, int] = {}
    for some in batched(sorted(names)):
        wanted = accounts.c.name.in_(some) & accounts.c.revoked.is_(None)
        chosen = select(accounts.c.name, accounts.c.id).where(wanted).order_by(accounts.c.id)
        found.update((row.name, row.id) for row in connection.execute(chosen.with_for_update(key_share=True)))
    return found


def _in_force(connection: Connection) -> set[int]:
    """The epochs that vouchers are taken for; none of them is retired while the transaction runs."""
    chosen = select(epochs.c.number).where(epochs.c.retired.is_(None))
    return set(connection.execute(chosen.with_for_update(read=True)).scalars())


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


def _compare(
    connection: Connection, owners: Mapping[str, int], deliveries: Sequence[Delivery], last: int
) -> list[list[Answer]]:
    """The answers where not all was new: what is stored now is compared. Rows above `last` are this transaction's."""
    stored: dict[_Key, tuple[int, bytes]] = {}
    for delivery in deliveries:
        ids = [voucher.voucher_id for voucher in delivery.vouchers]
        stored.update(_lookup(connection, owners[delivery.account], ids))
    fresh = {key for key, (number, _) in stored.items() if number > last}
    return [
        [
            _answer((owners[delivery.account], voucher.voucher_id), voucher, stored, fresh)
            for voucher in delivery.vouchers
        ]
        for delivery in deliveries
    ]


def _lookup(connection: Connection, account: int, ids: Sequence[bytes]) -> dict[_Key, tuple[int, bytes]]:
    """Row number and digest of those vouchers of an account that are stored."""
    columns = vouchers.c.voucher_id, vouchers.c.id, vouchers.c.digest
    found: dict[_Key, tuple[int, bytes]] = {}
    for some in batched(ids):
        wanted = (vouchers.c.account == account) & vouchers.c.voucher_id.in_(some)
        for row in connection.execute(select(*columns).where(wanted)):
            found[account, row.voucher_id] = (row.id, row.digest)
    return found


def _answer(key: _Key, voucher: Incoming, stored: Mapping[_Key, tuple[int, bytes]], fresh: set[_Key]) -> Answer:
    if key not in stored:
        return Answer.NOT_TAKEN
    if stored[key][1] != voucher.digest:
        return Answer.OTHER
    if key in fresh:
        fresh.discard(key)  # a copy that comes later in the transaction was stored before
        return Answer.NEW
    return Answer.ALREADY


def _count(
    connection: Connection,
    owners: Mapping[str, int],
    deliveries: Sequence[Delivery],
    answers: Sequence[Sequence[Answer]],
    now: int,
) -> None:
    """Keep the accounts' counts in step with their vouchers."""
    new: Counter[int] = Counter()
    for delivery, answered in zip(deliveries, answers, strict=True):
        new[owners[delivery.account]] += answered.count(Answer.NEW)
    rows = [{"number": account, "new": count} for account, count in new.items() if count]
    if rows:
        values = {"vouchers": accounts.c.vouchers + bindparam("new"), "last_upload": now}
        rows.sort(key=lambda row: row["number"])
        connection.execute(update(accounts).where(accounts.c.id == bindparam("number")).values(values), rows)
