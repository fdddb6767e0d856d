"""The log in the store: appended to in the transactions that it is about (specification, section 16)."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from tpsi import Secret
from tpsi.canonical import MAX_INTEGER
from tpsi.log import Disclosure, Entry, ManifestEntry, Notice, OpeningEntry, PolicyEntry, RevealEntry, decode_entry
from tpsi.merkle import DIGEST_SIZE
from tpsi_server.store.clock import from_stored, to_stored
from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.log_batches import NoticeRecord, make_batch, pending_rows, take_pending
from tpsi_server.store.log_schema import (
    log_batches,
    log_commitment_vouchers,
    log_commitments,
    log_entries,
    log_head,
    log_pending,
)
from tpsi_server.store.schema import accounts, epochs, reveals, vouchers

_HEAD = 1


class LogStore:
    """Reads the log, and appends what no other transaction does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def size(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return connection.execute(select(log_head.c.size)).scalar() or 0

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaf digests from one place to before another, in order."""
        with self._database.read() as connection:
            return list(connection.execute(_between(select(log_entries.c.leaf), start, stop)).scalars())

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The entries from one place to before another, in order."""
        with self._database.read() as connection:
            return list(connection.execute(_between(select(log_entries.c.entry), start, stop)).scalars())

    def place_of(self, leaf: bytes) -> int | None:
        """The first place of a leaf digest; None if it is not in the log."""
        with self._database.read() as connection:
            first = select(func.min(log_entries.c.place)).where(log_entries.c.leaf == leaf)
            return connection.execute(first).scalar()

    def notify_after(self) -> int | None:
        """After how many seconds accounts are told of a reveal; None if they are not."""
        with self._database.read() as connection:
            return _notify_after(connection)

    @retrying
    def set_notify_after(self, seconds: int | None, now: float) -> bool:
        """Say in the log when accounts are told from now on; False if that is how it is already."""
        with self._database.write() as connection:
            _lock(connection)  # before anything is read of what must not change until it is written
            if _notify_after(connection) == seconds:
                return False
            _commit(connection)
            append(connection, PolicyEntry(max(int(now), _newest_time(connection), _last_reveal(connection)), seconds))
            return True

    @retrying
    def adopt(self) -> None:
        """Append the manifests of epochs that were built before there was a log."""
        logged = select(func.count()).where(log_entries.c.kind == ManifestEntry.kind)
        with self._database.read() as connection:
            built = connection.execute(select(func.count()).select_from(epochs)).scalar_one()
            if built <= connection.execute(logged).scalar_one():
                return
        with self._database.write() as connection:
            append_manifests(connection)

    @retrying
    def commit(self, before: float | None = None) -> None:
        """Commit to what was revealed and is not in the log yet; with `before`, only if some was before that time."""
        with self._database.read() as connection:
            oldest = connection.execute(select(func.min(log_pending.c.noted))).scalar()
        if oldest is not None and (before is None or oldest < to_stored(before)):
            with self._database.write() as connection:
                _commit(connection)

    @retrying
    def open_due(self, now: float) -> int:
        """Open the batches of commitments that are due to their accounts; how many."""
        due = log_batches.c.opened.is_(None) & (log_batches.c.due <= int(now) * 1000)
        chosen = select(log_batches.c.place).where(due).order_by(log_batches.c.place)
        with self._database.read() as connection:
            if connection.execute(chosen.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            _lock(connection)
            places = list(connection.execute(chosen).scalars())
            time = max(int(now), _newest_time(connection))
            for place in places:
                opening = append(connection, OpeningEntry(time, place))
                connection.execute(update(log_batches).where(log_batches.c.place == place).values(opened=opening))
        return len(places)

    def disclosures(self, account: str, after: int = 0, limit: int | None = None) -> list[Disclosure]:
        """What an account may know: its notices that are open, in the order of the log, from a place on."""
        mine = (log_commitments.c.account == account) & log_batches.c.opened.is_not(None)
        chosen = _commitments().where(mine, log_commitments.c.place >= min(after, MAX_INTEGER)).limit(limit)
        with self._database.read() as connection:
            return list(map(_disclosure, connection.execute(chosen)))

    def revealed(self) -> Iterator[tuple[bytes, str, float]]:
        """Every revealed voucher: its id, its account, and when it was revealed (seconds since 1970)."""
        joined = reveals.join(vouchers, reveals.c.voucher == vouchers.c.id)
        joined = joined.join(accounts, reveals.c.account == accounts.c.id)
        columns = vouchers.c.voucher_id, accounts.c.name, reveals.c.revealed
        with self._database.read() as connection:
            for row in connection.execute(select(*columns).select_from(joined).order_by(vouchers.c.id)):
                yield row.voucher_id, row.name, from_stored(row.revealed)

    def notices(self) -> Iterator[NoticeRecord]:
        """Every commitment with its opening and vouchers, told or not: for an auditor."""
        with self._database.read() as connection:
            about = log_commitment_vouchers.c
            for row in connection.execute(_commitments()).all():
                of_it = (about.place == row.place) & (about.position == row.position)
                ids = connection.execute(select(about.voucher_id).where(of_it).order_by(about.voucher_id)).scalars()
                yield NoticeRecord(_disclosure(row), tuple(ids))


def append(connection: Connection, entry: Entry) -> int:
    """Append an entry in the transaction at hand; its place."""
    place = _lock(connection)
    row = {"place": place, "kind": entry.kind, "entry": entry.encoded, "leaf": entry.leaf}
    connection.execute(insert(log_entries).values(row))
    connection.execute(update(log_head).values(size=place + 1))
    return place


def append_manifests(connection: Connection) -> None:
    """Append the manifests of the epochs that are not in the log yet, in order."""
    _lock(connection)
    logged = connection.execute(select(log_entries.c.leaf).where(log_entries.c.kind == ManifestEntry.kind)).scalars()
    known = set(logged)
    for row in connection.execute(select(epochs.c.number, epochs.c.digest).order_by(epochs.c.number)).all():
        entry = ManifestEntry(row.number, row.digest)
        if entry.leaf not in known:
            append(connection, entry)


def note_reveal(connection: Connection, account: int, revealed: Sequence[int], now: int) -> None:
    """Note what the transaction at hand reveals, for the log to commit to: vouchers by row numbers, of one account.

    Nothing happens while accounts are not told of reveals. `now` in milliseconds since 1970.
    """
    if not revealed:
        return
    _lock(connection, alone=False)  # also while nobody is told: a policy that comes meanwhile is later than this
    if _notify_after(connection) is not None:
        name = connection.execute(select(accounts.c.name).where(accounts.c.id == account)).scalar_one()
        insert_new(connection, log_pending, pending_rows(connection, name, revealed, now))


def _commit(connection: Connection) -> None:
    """Commit to all that waits for it, in as few entries as it takes."""
    _lock(connection)
    notify_after = _notify_after(connection)
    while notify_after is not None and (taken := take_pending(connection)).groups:
        time = max(int(from_stored(taken.noted)), _newest_time(connection))
        batch = make_batch(taken, time)
        place = append(connection, RevealEntry(time, batch.root))
        row = {"place": place, "size": batch.size, "due": (time + notify_after) * 1000}
        connection.execute(insert(log_batches).values(row))
        connection.execute(insert(log_commitments), [{"place": place, **one} for one in batch.commitments])
        connection.execute(insert(log_commitment_vouchers), [{"place": place, **one} for one in batch.vouchers])


def _commitments() -> Select[Any]:
    """The commitments, each with the size of its batch, in the order of the log."""
    joined = log_commitments.join(log_batches, log_commitments.c.place == log_batches.c.place)
    order = log_commitments.c.place, log_commitments.c.position
    return select(log_commitments, log_batches.c.size).select_from(joined).order_by(*order)


def _disclosure(row: Any) -> Disclosure:
    path = tuple(row.path[at : at + DIGEST_SIZE] for at in range(0, len(row.path), DIGEST_SIZE))
    return Disclosure(row.place, Secret(row.opening), Notice.decode(row.notice), row.position, row.size, path)


def _lock(connection: Connection, *, alone: bool = True) -> int:
    """Hold the end of the log until the transaction ends, alone or with others that append nothing; how many entries
    there are."""
    insert_new(connection, log_head, [{"id": _HEAD, "size": 0}])
    return int(connection.execute(select(log_head.c.size).with_for_update(read=not alone)).scalar_one())


def _notify_after(connection: Connection) -> int | None:
    found = _newest(connection, PolicyEntry.kind)
    return found.notify_after if isinstance(found, PolicyEntry) else None


def _newest_time(connection: Connection) -> int:
    """The time of the newest entry that has one: a clock that was set back must not show in the log."""
    newest = (_newest(connection, kind) for kind in (PolicyEntry.kind, RevealEntry.kind, OpeningEntry.kind))
    return max((entry.time for entry in newest if entry and not isinstance(entry, ManifestEntry)), default=0)


def _last_reveal(connection: Connection) -> int:
    """The time of the newest reveal: a promise that began before it would seem to be broken by it."""
    newest = connection.execute(select(func.max(reveals.c.revealed))).scalar()
    return 0 if newest is None else int(from_stored(newest))


def _newest(connection: Connection, kind: str) -> Entry | None:
    last = select(log_entries.c.entry).where(log_entries.c.kind == kind).order_by(log_entries.c.place.desc()).limit(1)
    found = connection.execute(last).scalar()
    return None if found is None else decode_entry(found)


def _between(chosen: Select[Any], start: int, stop: int) -> Select[Any]:
    """Entries from one place to before another."""
    return chosen.where(log_entries.c.place >= start, log_entries.c.place < stop).order_by(log_entries.c.place)
