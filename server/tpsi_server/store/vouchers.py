"""Vouchers coming in: many deliveries in one transaction, each voucher once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, bindparam, func, literal, select, update

from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.database import Database, batched, insert_new, retrying
from tpsi_server.store.quotas import UNLIMITED, Exceeded, Standing, count_octets, standings
from tpsi_server.store.schema import VoucherState, accounts, epochs, has_failed, vouchers

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


@dataclass(frozen=True, slots=True)
class SetAside:
    """A voucher that could not be matched; `octets` of it are kept. `received` in seconds since 1970."""

    account: str
    voucher_id: bytes
    epoch: int
    received: float
    octets: int


class VoucherStore:
    """Takes vouchers in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: What an account may send that has no limits of its own.
        self.allowance = UNLIMITED

    @retrying
    def store(self, deliveries: Sequence[Delivery], now: float) -> list[list[Answer] | Exceeded | None]:
        """Store the vouchers of all deliveries in one transaction, durable when it returns.

        One answer for every voucher, in order; Exceeded for a delivery that is more than its account may send; None for
        one whose account is unknown or revoked.
        """
        stamp = to_stored(now)
        with self._database.write() as connection:
            owners = _owners(connection, {delivery.account for delivery in deliveries})
            in_force = _in_force(connection)
            last = connection.execute(select(func.coalesce(func.max(vouchers.c.id), 0))).scalar_one()
            standing = standings(connection, owners.values(), self.allowance, stamp)
            exceeded = _too_much(connection, owners, deliveries, standing, stamp)
            known = [d for i, d in enumerate(deliveries) if d.account in owners and i not in exceeded]
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
            _count(connection, owners, known, answers, standing=standing, now=stamp)
        answered = iter(answers)
        return [
            exceeded.get(i) or (next(answered) if delivery.account in owners else None)
            for i, delivery in enumerate(deliveries)
        ]

    def count_waiting(self) -> int:
        """How many vouchers wait to be matched."""
        return self._count(VoucherState.WAITING)

    def oldest_waiting(self) -> float | None:
        """When the voucher that has waited longest came; None if none waits."""
        state = literal(int(VoucherState.WAITING), literal_execute=True)
        oldest = select(func.min(vouchers.c.id)).where(vouchers.c.state == state).scalar_subquery()
        with self._database.read() as connection:
            found = connection.execute(select(vouchers.c.received).where(vouchers.c.id == oldest)).scalar()
        return from_stored_or_none(found)

    def set_aside(self, limit: int = 1000) -> list[SetAside]:
        """The vouchers that were set aside because they could not be matched, the earliest first."""
        octets = func.length(vouchers.c.payload)
        columns = accounts.c.name, vouchers.c.voucher_id, vouchers.c.epoch, vouchers.c.received, octets
        chosen = select(*columns).select_from(vouchers.join(accounts)).where(has_failed).order_by(vouchers.c.id)
        with self._database.read() as connection:
            rows = connection.execute(chosen.limit(limit)).all()
        return [SetAside(row[0], row[1], row[2], from_stored(row[3]), row[4]) for row in rows]

    def last(self) -> int:
        """The row number of the voucher that came last; 0 if there is none."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(vouchers.c.id), 0))).scalar_one())

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


def _too_much(
    connection: Connection,
    owners: Mapping[str, int],
    deliveries: Sequence[Delivery],
    standing: Mapping[int, Standing],
    now: int,
) -> dict[int, Exceeded]:
    """The places of those deliveries that their accounts may not send. What was stored before is not sent again."""
    found: dict[int, Exceeded] = {}
    taken: dict[int, dict[bytes, int]] = {}  # octets by voucher id; some of them may have been stored before
    for place, delivery in enumerate(deliveries):
        account = owners.get(delivery.account)
        if account is None or not (mine := standing[account]).allowance.limits:
            continue
        before = taken.get(account, {})
        fresh = before | {voucher.voucher_id: len(voucher.payload) for voucher in delivery.vouchers}
        if not mine.takes(len(fresh), sum(fresh.values())):
            stored = _lookup(connection, account, list(fresh))
            fresh = {name: octets for name, octets in fresh.items() if (account, name) not in stored}
            if fresh.keys() - before.keys() and not mine.takes(len(fresh), sum(fresh.values())):
                found[place] = mine.refusal(len(fresh), now)
                continue
        taken[account] = fresh
    return found


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
    *,
    standing: Mapping[int, Standing],
    now: int,
) -> None:
    """Keep the accounts' counts in step with their vouchers."""
    new: Counter[int] = Counter()
    octets: Counter[int] = Counter()
    for delivery, answered in zip(deliveries, answers, strict=True):
        pairs = zip(delivery.vouchers, answered, strict=True)
        sizes = [len(voucher.payload) for voucher, answer in pairs if answer is Answer.NEW]
        if sizes:
            new[owners[delivery.account]] += len(sizes)
            octets[owners[delivery.account]] += sum(sizes)
    count_octets(connection, octets, standing, now)
    rows = [{"number": account, "new": count} for account, count in new.items() if count]
    if rows:
        values = {"vouchers": accounts.c.vouchers + bindparam("new"), "last_upload": now}
        rows.sort(key=lambda row: row["number"])
        connection.execute(update(accounts).where(accounts.c.id == bindparam("number")).values(values), rows)
