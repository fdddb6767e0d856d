"""Opened vouchers on their way into their pools."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, insert, select, update

from tpsi import Opened, Pool, Secret, Verdict, open_associated
from tpsi_server.store.database import batched, insert_new
from tpsi_server.store.flags import Flag, raise_flags
from tpsi_server.store.log import commit_reveal
from tpsi_server.store.schema import accounts, opened, pools, reveals, vouchers

_Matched = tuple[int, Opened, Pool]
_Late = tuple[int, Opened]


def open_vouchers(connection: Connection, matched: Sequence[_Matched], now: int) -> int:
    """Put opened vouchers (row number, content, pool) into their pools; returns how many are revealed at once.

    In a pool that is revealed already, one whose associated data opens under the pool's key is revealed.
    """
    owners = _owners(connection, [number for number, _, _ in matched])
    groups: dict[tuple[int, Pool], list[tuple[int, Opened]]] = {}
    for number, one, pool in matched:
        groups.setdefault((owners[number], pool), []).append((number, one))
    # in an order that all transactions keep: two that wait for each other would both have to start again
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1].list_id, item[0][1].generation))
    return sum(_extend(connection, account, pool, group, now) for (account, pool), group in ordered)


def insert_reveals(connection: Connection, account: int, rows: Iterable[tuple[int, bytes]], now: int) -> int:
    """Reveal the associated data of vouchers (row number, data), each once; returns how many are new.

    What is new is committed to in the log, if accounts are told of reveals.
    """
    rows = list(rows)
    known = _revealed(connection, [number for number, _ in rows])
    rows = [row for row in rows if row[0] not in known]
    values = [{"voucher": v, "account": account, "associated": data, "revealed": now} for v, data in rows]
    new = insert_new(connection, reveals, values)
    if new:
        counted = update(accounts).where(accounts.c.id == account)
        connection.execute(counted.values(revealed=accounts.c.revealed + new))
        commit_reveal(connection, account, [number for number, _ in rows], now)
    return new


def open_with_key(connection: Connection, account: int, key: Secret, late: Sequence[_Late], now: int) -> int:
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
    set_verdicts(connection, verdicts)
    return insert_reveals(connection, account, rows, now)


def set_verdicts(connection: Connection, verdicts: Sequence[Mapping[str, object]]) -> None:
    """Write down verdicts: `number` is the voucher's, `value` the verdict or None."""
    if verdicts:
        statement = update(opened).where(opened.c.voucher == bindparam("number"))
        connection.execute(statement.values(verdict=bindparam("value")), [dict(row) for row in verdicts])


def _extend(connection: Connection, account: int, pool: Pool, group: Sequence[_Late], now: int) -> int:
    number, key = _pool_row(connection, account, pool)
    rows = [{"voucher": voucher, "pool": number, "share": one.share, "adct": one.adct} for voucher, one in group]
    connection.execute(insert(opened), rows)
    raise_flags(connection, Flag.MALFORMED, [voucher for voucher, one in group if one.malformed], now)
    count = len(group)
    connection.execute(update(pools).where(pools.c.id == number).values(opened=pools.c.opened + count))
    connection.execute(update(accounts).where(accounts.c.id == account).values(opened=accounts.c.opened + count))
    return 0 if key is None else open_with_key(connection, account, key, group, now)


def _pool_row(connection: Connection, account: int, pool: Pool) -> tuple[int, Secret | None]:
    """The number of a pool's row, made if it is new, and the key that a reveal gave. The row stays locked."""
    names = {
        "account": account,
        "list_id": pool.list_id,
        "generation": pool.generation,
        "threshold": pool.sharing.threshold,
        "rows": pool.sharing.rows,
        "count_by": pool.sharing.count_by.value,
    }
    insert_new(connection, pools, [{**names, "opened": 0, "examined": 0, "took": 0}])
    wanted = [pools.c[name] == value for name, value in names.items()]
    row = connection.execute(select(pools.c.id, pools.c.ad_key).where(*wanted).with_for_update()).one()
    return row.id, None if row.ad_key is None else Secret(row.ad_key)


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
