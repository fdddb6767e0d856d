"""Reveals: what a reviewer may see of an account that is over the threshold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tpsi_server.store.cells import Cells
from tpsi_server.store.clock import from_stored
from tpsi_server.store.database import Database
from tpsi_server.store.schema import accounts, reveals, vouchers

#: Reveals read at a time.
_PAGE = 16


@dataclass(frozen=True, slots=True)
class Reveal:
    """A voucher that was revealed: its associated data, and when it came in (seconds since 1970)."""

    voucher_id: bytes
    associated: bytes
    received: float
    revealed: float
    epoch: int

    def __repr__(self) -> str:
        return f"<Reveal of voucher {self.voucher_id.hex()}>"


class RevealStore:
    """Reads reveals."""

    def __init__(self, database: Database, cells: Cells) -> None:
        self._database = database
        self._cells = cells

    def of_account(self, name: str) -> Iterator[Reveal]:
        """What was revealed of an account, in the order in which it came in; nothing if nothing was.

        Reads a few at a time, and holds nothing open in between.
        """
        last = 0
        while page := self._page(name, last):
            for number, reveal in page:
                yield reveal
                last = number

    def _page(self, name: str, after: int) -> list[tuple[int, Reveal]]:
        joined = reveals.join(vouchers, reveals.c.voucher == vouchers.c.id).join(
            accounts, reveals.c.account == accounts.c.id
        )
        columns = (
            vouchers.c.id,
            vouchers.c.voucher_id,
            vouchers.c.received,
            vouchers.c.epoch,
            reveals.c.associated,
            reveals.c.account,
            reveals.c.revealed,
        )
        chosen = select(*columns).select_from(joined).where(accounts.c.name == name, reveals.c.voucher > after)
        with self._database.read() as connection:
            rows = connection.execute(chosen.order_by(reveals.c.voucher).limit(_PAGE)).all()
        return [(row.id, self._reveal(row)) for row in rows]

    def _reveal(self, row: Any) -> Reveal:
        associated = self._cells.open(reveals.c.associated, (row.id, row.account), row.associated)
        return Reveal(row.voucher_id, associated, from_stored(row.received), from_stored(row.revealed), row.epoch)
