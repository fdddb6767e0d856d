"""Data keys in the store: which are in use, what is sealed under each, and sealing it anew under the newest."""

import logging
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, LargeBinary, bindparam, func, insert, literal, select, update

from tpsi_server.store.cells import NUMBER_SIZE, Cells, DamagedError, current_key, key_number
from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.database import Database, retrying
from tpsi_server.store.schema import data_keys, opened, pools, reveals

#: Sensitive columns, and the columns that name a cell's row; the first of these is the primary key.
SEALED: tuple[tuple["Column[Any]", tuple["Column[Any]", ...]], ...] = (
    (opened.c.share, (opened.c.voucher, opened.c.pool)),
    (opened.c.adct, (opened.c.voucher, opened.c.pool)),
    (pools.c.ad_key, (pools.c.id, pools.c.account)),
    (reveals.c.associated, (reveals.c.voucher, reveals.c.account)),
)
#: Cells that are sealed anew in one transaction: others wait for no more than that.
PAGE = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataKeyRecord:
    """A data key: its number, and times in seconds since 1970. `cells` are sealed under it."""

    number: int
    created: float
    retired: float | None
    cells: int


class DataKeyStore:
    """The register of data keys. The keys themselves are in key files."""

    def __init__(self, database: Database, cells: Cells) -> None:
        self._database = database
        self._cells = cells

    def current(self) -> int:
        """The number of the key that is written under."""
        with self._database.read() as connection:
            chosen = select(func.max(data_keys.c.number)).where(data_keys.c.retired.is_(None))
            return int(connection.execute(chosen).scalar_one())

    def numbers(self) -> list[int]:
        """The numbers of the keys that something may be sealed under: those that are not retired."""
        with self._database.read() as connection:
            return list(connection.execute(select(data_keys.c.number).where(data_keys.c.retired.is_(None))).scalars())

    def all(self) -> list[DataKeyRecord]:
        """Every key that was ever used, in order."""
        with self._database.read() as connection:
            counts: dict[int, int] = {}
            for column, _ in SEALED:
                prefix = func.substr(column, 1, NUMBER_SIZE, type_=LargeBinary).label("prefix")
                counted = select(prefix, func.count()).where(column.is_not(None)).group_by(prefix)
                for number, count in connection.execute(counted):
                    key = int.from_bytes(number, "big")
                    counts[key] = counts.get(key, 0) + count
            rows = connection.execute(select(data_keys).order_by(data_keys.c.number)).all()
        return [
            DataKeyRecord(
                row.number, from_stored(row.created), from_stored_or_none(row.retired), counts.get(row.number, 0)
            )
            for row in rows
        ]

    @retrying
    def add(self, number: int, now: float) -> None:
        """Write under a new key from now on, in every process; its key file must be there."""
        with self._database.write() as connection:
            connection.execute(insert(data_keys).values(number=number, created=to_stored(now)))

    def reseal(self, position: tuple[int, int] = (0, 0)) -> tuple[int, tuple[int, int] | None]:
        """Seal the next cells anew that are under an older key than the current one, in one transaction.

        Takes the position that the call before returned, and returns how many cells were sealed anew and the next
        position, None at the end. It may stop anywhere and begin again at the beginning. A cell that is damaged stays
        as it is, and is named in the program's log.
        """
        index, after = position
        if index == len(SEALED):
            return 0, None
        column, row = SEALED[index]
        done, last = self._reseal_page(column, row, after)
        return done, (index + 1, 0) if last is None else (index, last)

    @retrying
    def _reseal_page(self, column: "Column[Any]", row: Sequence["Column[Any]"], after: int) -> tuple[int, int | None]:
        with self._database.write() as connection:
            number = current_key(connection)
            prefix = func.substr(column, 1, NUMBER_SIZE, type_=LargeBinary)
            old = column.is_not(None) & (prefix != literal(number.to_bytes(NUMBER_SIZE, "big"), LargeBinary))
            chosen = select(column, *row).where(row[0] > after, old).order_by(row[0]).limit(PAGE).with_for_update()
            found = [(cell, tuple(names)) for cell, *names in connection.execute(chosen)]
            if not found:
                return 0, None
            known = set(connection.execute(select(data_keys.c.number)).scalars())
            found_values = ((names, self._value(column, names, cell, known)) for cell, names in found)
            sound = [(names, value) for names, value in found_values if value is not None]
            values = [
                {"row": names[0], "cell": self._cells.seal(number, column, names, value)} for names, value in sound
            ]
            if values:
                statement = update(column.table).where(row[0] == bindparam("row"))
                connection.execute(statement.values({column: bindparam("cell")}), values)
        return len(values), int(found[-1][1][0])

    def _value(self, column: "Column[Any]", row: Sequence[int], cell: bytes, known: Container[int]) -> bytes | None:
        """What is in a cell; None if it is damaged: those after it have to get away from the old key all the same."""
        try:
            if key_number(cell) not in known:
                raise DamagedError(f"{column}, row {row[0]}, names a key that there never was")
            return self._cells.open(column, row, cell)
        except DamagedError as error:
            _log.error("a cell is not sealed anew: %s", error)
            return None

    @retrying
    def retire(self, number: int, now: float) -> int:
        """Take a key out of use, if nothing is sealed under it and it is not the newest; how many cells are in the way.

        KeyError if there is none of this number.
        """
        with self._database.write() as connection:
            chosen = select(data_keys.c.number).where(data_keys.c.number == number).with_for_update()
            if connection.execute(chosen).scalar() is None:
                raise KeyError(number)  # transactions that wrote under it have ended
            prefix = number.to_bytes(NUMBER_SIZE, "big")
            left = 0
            for column, _ in SEALED:
                same = func.substr(column, 1, NUMBER_SIZE, type_=LargeBinary) == literal(prefix, LargeBinary)
                left += connection.execute(select(func.count()).select_from(column.table).where(same)).scalar_one()
            if left == 0:
                values = {"retired": func.coalesce(data_keys.c.retired, to_stored(now))}
                connection.execute(update(data_keys).where(data_keys.c.number == number).values(values))
        return left
