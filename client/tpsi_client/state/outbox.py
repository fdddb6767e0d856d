"""Vouchers on their way: queued with the memory of their items, and gone once they are acknowledged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from tpsi_client.state import memory, settings
from tpsi_client.state.database import Database
from tpsi_client.state.memory import FileMarks
from tpsi_client.state.schema import ACKNOWLEDGED, QUEUED, REFUSED, REPLACED, voucher

#: SQLite takes 32 766 parameters a statement; this many of two keep clear of older limits as well.
_STEP = 400


@dataclass(frozen=True, slots=True)
class NewVoucher:
    """A voucher that was just sealed."""

    voucher_id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Sealing:
    """What one batch of sealing leaves behind, all of it or nothing.

    `vouchers` are those to be queued (none if the caller carries them away itself), `sealed` their number either
    way; `tags` the memory tags of all items, `files` the files that need not be read again.
    """

    epoch: int
    generation: int
    vouchers: Sequence[NewVoucher]
    sealed: int
    tags: Iterable[bytes]
    files: FileMarks
    bad_candidates: int


@dataclass(frozen=True, slots=True)
class Queued:
    """A voucher that waits to be sent."""

    voucher_id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """How many vouchers are in which state; `refused` by the server's reason; `exported` are queued ones, too."""

    queued: int
    exported: int
    acknowledged: int
    refused: Mapping[str, int]
    replaced: int
    queued_octets: int


class Outbox:
    """The outbox of one device. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, sealing: Sealing) -> None:
        """Store vouchers and memory in ONE transaction (specification, section 7.6).

        A voucher without its tags could be made a second time; tags without the voucher would lose the item.
        """
        with self._database.transaction() as connection:
            if sealing.vouchers:
                connection.execute(
                    insert(voucher),
                    [
                        {
                            "voucher_id": new.voucher_id,
                            "epoch": sealing.epoch,
                            "generation": sealing.generation,
                            "state": QUEUED,
                            "exported": False,
                            "payload": new.data,
                        }
                        for new in sealing.vouchers
                    ],
                )
            memory.remember(connection, sealing.tags)
            memory.mark_files(connection, sealing.files)
            settings.add(connection, settings.SEALED, sealing.sealed)
            settings.add(connection, settings.BAD_CANDIDATES, sealing.bad_candidates)

    def queued(self, after: bytes, limit: int, *, fresh_only: bool = False) -> list[Queued]:
        """The next `limit` queued vouchers in ascending order of their ids, which come after the id `after`.

        Ids are uniformly random, hence so is this order: in mode add, an item's real voucher and its synthetic
        one are made together, and must not be told apart, or even paired, by their places (7.5).
        """
        query = (
            select(voucher.c.voucher_id, voucher.c.payload)
            .where(voucher.c.state == QUEUED, voucher.c.voucher_id > after)
            .order_by(voucher.c.voucher_id)
            .limit(limit)
        )
        if fresh_only:
            query = query.where(voucher.c.exported.is_(False))
        with self._database.transaction() as connection:
            return [Queued(row.voucher_id, row.payload) for row in connection.execute(query)]

    def settle(self, acknowledged: Iterable[bytes], refused: Mapping[bytes, str]) -> None:
        """Delete the payloads of acknowledged vouchers; keep refused ones aside with the server's reason."""
        values = [{"key": voucher_id} for voucher_id in acknowledged]
        with self._database.transaction() as connection:
            for start in range(0, len(values), _STEP):
                keys = [value["key"] for value in values[start : start + _STEP]]
                connection.execute(
                    update(voucher)
                    .where(voucher.c.voucher_id.in_(keys))
                    .values(state=ACKNOWLEDGED, reason=None, payload=None)
                )
            for voucher_id, reason in refused.items():
                connection.execute(
                    update(voucher)
                    .where(voucher.c.voucher_id == voucher_id, voucher.c.state == QUEUED)
                    .values(state=REFUSED, reason=reason)
                )

    def requeue_refused(self) -> int:
        """Queue refused vouchers once more, as they are; the number of them."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(voucher).where(voucher.c.state == REFUSED).values(state=QUEUED, reason=None)
            )
            return changed.rowcount

    def mark_exported(self, voucher_ids: Sequence[bytes]) -> None:
        """Note that these were written to a file; they stay queued until somebody says that they arrived."""
        with self._database.transaction() as connection:
            for start in range(0, len(voucher_ids), _STEP):
                connection.execute(
                    update(voucher)
                    .where(voucher.c.voucher_id.in_(voucher_ids[start : start + _STEP]))
                    .values(exported=True)
                )

    def begin_generation(self, generation: int) -> None:
        """Begin another generation, and drop what waits: it will be sealed again, and both would tell more."""
        with self._database.transaction() as connection:
            settings.write(connection, settings.GENERATION, str(generation))
            connection.execute(
                update(voucher)
                .where(voucher.c.state.in_((QUEUED, REFUSED)))
                .values(state=REPLACED, reason=None, payload=None)
            )
            memory.forget_files(connection)
            settings.add(connection, settings.RESCANS, 1)

    def counts(self) -> Counts:
        """Vouchers by state."""
        by_state = select(voucher.c.state, voucher.c.reason, func.count()).group_by(voucher.c.state, voucher.c.reason)
        waiting = select(
            func.count().filter(voucher.c.exported.is_(True)),
            func.coalesce(func.sum(func.length(voucher.c.payload)), 0),
        ).where(voucher.c.state == QUEUED)
        with self._database.transaction() as connection:
            found = {(row[0], row[1]): int(row[2]) for row in connection.execute(by_state)}
            exported, octets = connection.execute(waiting).one()
        return Counts(
            queued=found.get((QUEUED, None), 0),
            exported=int(exported),
            acknowledged=found.get((ACKNOWLEDGED, None), 0),
            refused={str(reason): count for (state, reason), count in found.items() if state == REFUSED},
            replaced=found.get((REPLACED, None), 0),
            queued_octets=int(octets),
        )
