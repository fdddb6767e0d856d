"""Opened vouchers on their way into their pools."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Connection, bindparam, insert, select, update

from tpsi import Opened, Pool, Secret, Verdict, open_associated
from tpsi_server.store.cells import Cells, DamagedError, current_key
from tpsi_server.store.database import batched, insert_new
from tpsi_server.store.flags import Flag, raise_flags
from tpsi_server.store.log import note_reveal
from tpsi_server.store.schema import accounts, opened, pools, reveals, vouchers

_Matched = tuple[int, Opened, Pool]
_Late = tuple[int, Opened]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Writing:
    """A transaction that writes sensitive columns, and its time in milliseconds."""

    connection: Connection
    cells: Cells
    now: int

    @cached_property
    def _number(self) -> int:
        return current_key(self.connection)

    def seal(self, column: "Column[Any]", row: Sequence[int], value: bytes) -> bytes:
        """The cell for a value, under the data key that is in use."""
        return self.cells.seal(self._number, column, row, value)


def open_vouchers(to: Writing, matched: Sequence[_Matched]) -> int:
    """Put opened vouchers (row number, content, pool) into their pools; returns how many are revealed at once.

    In a pool that is revealed already, one whose associated data opens under the pool's key is revealed.
    """
    owners = _owners(to.connection, [number for number, _, _ in matched])
    groups: dict[tuple[int, Pool], list[tuple[int, Opened]]] = {}
    for number, one, pool in matched:
        groups.setdefault((owners[number], pool), []).append((number, one))
    # in an order that all transactions keep: two that wait for each other would both have to start again
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1].list_id, item[0][1].generation))
    return sum(_extend(to, account, pool, group) for (account, pool), group in ordered)


def insert_reveals(to: Writing, account: int, rows: Iterable[tuple[int, bytes]]) -> int:
    """Reveal the associated data of vouchers (row number, data), each once; returns how many are new.

    What is new is noted for the log to commit to, if accounts are told of reveals.
    """
    rows = list(rows)
    known = _revealed(to.connection, [number for number, _ in rows])
    values = [
        {
            "voucher": voucher,
            "account": account,
            "associated": to.seal(reveals.c.associated, (voucher, account), data),
            "revealed": to.now,
        }
        for voucher, data in rows
        if voucher not in known
    ]
    new = insert_new(to.connection, reveals, values)
    if new:
        counted = update(accounts).where(accounts.c.id == account)
        to.connection.execute(counted.values(revealed=accounts.c.revealed + new))
        note_reveal(to.connection, account, [number for number, _ in rows if number not in known], to.now)
    return new


def open_with_key(to: Writing, account: int, key: Secret, late: Sequence[_Late]) -> int:
    """Judge vouchers that were opened (row number, content) under the key that a reveal of their pool gave.

    Returns how many are revealed: those whose associated data opens. The others are synthetic, or as good as that.
    """
    rows = []
    verdicts = []
    for number, one in late:
        data = None if one.malformed else open_associated(key, one)
        verdict = Verdict.REJECTED if data is None else Verdict.REVEALED
        verdicts.append({"number": number, "value": (Verdict.MALFORMED if one.malformed else verdict).value})
        if data is not None:
            rows.append((number, data))
    set_verdicts(to.connection, verdicts)
    return insert_reveals(to, account, rows)


def set_verdicts(connection: Connection, verdicts: Sequence[Mapping[str, object]]) -> None:
    """Write down verdicts: `number` is the voucher's, `value` the verdict or None."""
    if verdicts:
        statement = update(opened).where(opened.c.voucher == bindparam("number"))
        connection.execute(statement.values(verdict=bindparam("value")), [dict(row) for row in verdicts])


def _extend(to: Writing, account: int, pool: Pool, group: Sequence[_Late]) -> int:
    number, key = _pool_row(to, account, pool)
    rows = [
        {
            "voucher": voucher,
            "pool": number,
            "share": to.seal(opened.c.share, (voucher, number), one.share),
            "adct": to.seal(opened.c.adct, (voucher, number), one.adct),
        }
        for voucher, one in group
    ]
    to.connection.execute(insert(opened), rows)
    raise_flags(to.connection, Flag.MALFORMED, [voucher for voucher, one in group if one.malformed], to.now)
    count = len(group)
    to.connection.execute(update(pools).where(pools.c.id == number).values(opened=pools.c.opened + count))
    to.connection.execute(update(accounts).where(accounts.c.id == account).values(opened=accounts.c.opened + count))
    return 0 if key is None else open_with_key(to, account, key, group)


def _pool_row(to: Writing, account: int, pool: Pool) -> tuple[int, Secret | None]:
    """The number of a pool's row, made if it is new, and the key that a reveal gave. The row stays locked."""
    names = {
        "account": account,
        "list_id": pool.list_id,
        "generation": pool.generation,
        "threshold": pool.sharing.threshold,
        "rows": pool.sharing.rows,
        "count_by": pool.sharing.count_by.value,
    }
    insert_new(to.connection, pools, [{**names, "opened": 0, "examined": 0, "took": 0}])
    wanted = [pools.c[name] == value for name, value in names.items()]
    row = to.connection.execute(select(pools.c.id, pools.c.ad_key).where(*wanted).with_for_update()).one()
    if row.ad_key is None:
        return row.id, None
    try:
        return row.id, Secret(to.cells.open(pools.c.ad_key, (row.id, account), row.ad_key))
    except DamagedError as error:  # others have vouchers in the same transaction
        _log.error("what comes in for pool %d is not opened: %s", row.id, error)
        return row.id, None


def _revealed(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of the vouchers (row numbers) that are revealed already."""
    found: set[int] = set()
    for some in batched(numbers):
        found.update(connection.execute(select(reveals.c.voucher).where(reveals.c.voucher.in_(some))).scalars())
    return found


def _owners(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """The account of every voucher, by row numbers."""
    owners: dict[int, int] = {}
    for some in batched(numbers):
        found = connection.execute(select(vouchers.c.id, vouchers.c.account).where(vouchers.c.id.in_(some)))
        owners.update((row.id, row.account) for row in found)
    return owners
