"""Reveals: what a reviewer may see of an account that is over the threshold."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, true, update

from tpsi_server.companions import Check
from tpsi_server.store.cells import Cells, DamagedError
from tpsi_server.store.clock import from_stored
from tpsi_server.store.companions import companions_state
from tpsi_server.store.database import Database, retrying
from tpsi_server.store.log import LogStore
from tpsi_server.store.schema import accounts, companions, reveals, vouchers

#: Reveals read at a time.
_PAGE = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reveal:
    """A voucher that was revealed: its associated data, and when it came in (seconds since 1970).

    `check` is what the second hash says of it, `distance` the bits in which it differs from the nearest companion.
    """

    voucher_id: bytes
    associated: bytes
    received: float
    revealed: float
    epoch: int
    check: Check = Check.UNKNOWN
    distance: int | None = None

    def __repr__(self) -> str:
        return f"<Reveal of voucher {self.voucher_id.hex()}>"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of what was revealed of an account: given to reviewers, held back, and waiting to be compared."""

    given: int
    held_back: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something revealed that waits to be compared: its row number, and associated data unless that is damaged."""

    number: int
    associated: bytes | None

    def __repr__(self) -> str:
        return f"<Unchecked {self.number}>"


class RevealStore:
    """Reads reveals, and keeps what the second hash says of them."""

    def __init__(self, database: Database, cells: Cells, log: LogStore) -> None:
        self._database = database
        self._cells = cells
        self._log = log

    def of_account(self, name: str) -> Iterator[Reveal]:
        """What a reviewer is to see of an account, in the order in which it came in; nothing if nothing was revealed.

        Where there are companions, what was not compared yet and what is held back is left out. Reads a few at a
        time, and holds nothing open in between.
        """
        return self._pages(name, self._released)

    def all_of_account(self, name: str) -> Iterator[Reveal]:
        """The same with what is held back, and what was not compared yet."""
        return self._pages(name, true)

    def counts(self, name: str) -> Counts:
        """How much of what was revealed of an account is given, held back, and waits to be compared."""
        joined = reveals.join(accounts, reveals.c.account == accounts.c.id)
        chosen = select(reveals.c.verdict, func.count()).select_from(joined).where(accounts.c.name == name)
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(chosen.group_by(reveals.c.verdict))}
            waits = self._waits(connection)
        held, unchecked = found.pop(Check.HELD_BACK.value, 0), found.pop(None, 0)
        return Counts(sum(found.values()) + unchecked * (not waits), held, unchecked * waits)

    def unchecked(self, limit: int, without: Iterable[int] = ()) -> list[Unchecked]:
        """Some of what waits to be compared."""
        chosen = select(reveals.c.voucher, reveals.c.account, reveals.c.associated).where(reveals.c.verdict.is_(None))
        left_out = list(without)
        if left_out:
            chosen = chosen.where(reveals.c.voucher.not_in(left_out))
        with self._database.read() as connection:
            rows = connection.execute(chosen.order_by(reveals.c.voucher).limit(limit)).all()
        return [Unchecked(row.voucher, self._associated(row)) for row in rows]

    def _associated(self, row: Any) -> bytes | None:
        try:
            return self._cells.open(reveals.c.associated, (row.voucher, row.account), row.associated)
        except DamagedError as error:
            _log.error("something revealed cannot be compared: %s", error)
            return None

    @retrying
    def judge(self, checks: Sequence[tuple[int, Check, int | None]], state: int) -> bool:
        """Write down what the second hash says of reveals that wait: row number, check, distance.

        `state` is that of the companions that they were compared with (`Companions`). If there are others by now,
        nothing is written: they are to be compared with those, and the answer is False.
        """
        rows = [{"number": number, "said": check.value, "bits": bits} for number, check, bits in checks]
        waits = (reveals.c.voucher == bindparam("number")) & reveals.c.verdict.is_(None)
        values: dict[str, Any] = {"verdict": bindparam("said"), "distance": bindparam("bits")}
        with self._database.write() as connection:
            if companions_state(connection, hold=True) != state:
                return False
            if rows:
                connection.execute(update(reveals).where(waits).values(values), rows)
        return True

    def _released(self) -> ColumnElement[bool]:
        """What may be given: all that is compared and not held back; or, without companions, also what is not."""
        with self._database.read() as connection:
            waits = self._waits(connection)
        compared = reveals.c.verdict.is_not(None) & (reveals.c.verdict != Check.HELD_BACK.value)
        return compared if waits else compared | reveals.c.verdict.is_(None)

    def _waits(self, connection: Connection) -> bool:
        """Whether there is anything to compare with."""
        return connection.execute(select(companions.c.item).limit(1)).first() is not None

    def _pages(self, name: str, condition: Callable[[], ColumnElement[bool]]) -> Iterator[Reveal]:
        last = 0
        while page := self._page(name, last, condition()):
            self._log.commit()  # nothing is given that the log does not commit to, where accounts are told of reveals
            for number, reveal in page:
                yield reveal
                last = number

    def _page(self, name: str, after: int, condition: ColumnElement[bool]) -> list[tuple[int, Reveal]]:
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
            reveals.c.verdict,
            reveals.c.distance,
        )
        chosen = select(*columns).select_from(joined).where(accounts.c.name == name, reveals.c.voucher > after)
        with self._database.read() as connection:
            rows = connection.execute(chosen.where(condition).order_by(reveals.c.voucher).limit(_PAGE)).all()
        return [(row.id, self._reveal(row)) for row in rows]

    def _reveal(self, row: Any) -> Reveal:
        associated = self._cells.open(reveals.c.associated, (row.id, row.account), row.associated)
        times = from_stored(row.received), from_stored(row.revealed)
        check = Check.UNKNOWN if row.verdict is None else Check(row.verdict)
        return Reveal(row.voucher_id, associated, *times, row.epoch, check, row.distance)
