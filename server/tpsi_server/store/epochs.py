"""Epochs in the store: which ones are in force; what they are lies in the tables folder."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.database import Database, retrying
from tpsi_server.store.log import append_manifests
from tpsi_server.store.schema import VoucherState, epochs, vouchers


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """An epoch: `digest` is its manifest's; times in seconds since 1970."""

    number: int
    digest: bytes
    created: float
    retired: float | None


class EpochStore:
    """Epochs by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retrying
    def add(self, number: int, digest: bytes, now: float) -> None:
        """Put an epoch in force, and its manifest into the log."""
        with self._database.write() as connection:
            connection.execute(insert(epochs).values(number=number, digest=digest, created=to_stored(now)))
            append_manifests(connection)

    @retrying
    def remove(self, number: int) -> None:
        """Take back `add`, while no voucher names the epoch; StoreError if one does."""
        with self._database.write() as connection:
            connection.execute(delete(epochs).where(epochs.c.number == number))

    @retrying
    def retire(self, number: int, now: float) -> bool:
        """Take an epoch out of force; False if there is none of this number. The first time counts."""
        with self._database.write() as connection:
            values = {"retired": func.coalesce(epochs.c.retired, to_stored(now))}
            return connection.execute(update(epochs).where(epochs.c.number == number).values(values)).rowcount == 1

    def all(self) -> list[EpochRecord]:
        """Every epoch, in order."""
        with self._database.read() as connection:
            return list(map(_record, connection.execute(select(epochs).order_by(epochs.c.number))))

    def newest(self) -> EpochRecord | None:
        """The newest epoch, retired or not; None if there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(epochs).order_by(epochs.c.number.desc()).limit(1)).first()
        return None if row is None else _record(row)

    def waiting(self, number: int) -> int:
        """How many vouchers of an epoch wait to be matched."""
        wanted = (vouchers.c.epoch == number) & (vouchers.c.state == int(VoucherState.WAITING))
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(vouchers).where(wanted)).scalar_one())


def _record(row: Any) -> EpochRecord:
    return EpochRecord(row.number, row.digest, from_stored(row.created), from_stored_or_none(row.retired))
