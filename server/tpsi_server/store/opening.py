"""Opened vouchers on their way into their pools."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, insert, select, update

from tpsi import Opened, Pool, Secret, Verdict, open_associated
from tpsi_server.store.database import insert_new
from tpsi_server.store.flags import Flag, raise_flags
from tpsi_server.store.schema import accounts, opened, pools, reveals, vouchers

#: Row numbers in one query: below the number of parameters that every SQLite takes.
_LOOKUP = 500

_Matched = tuple[int, Opened, Pool]


def open_vouchers(connection: Connection, matched: Sequence[_Matched], now: int) -> int:
    """Put opened vouchers (row number, content, pool) into their pools; returns how many are revealed at once.

    In a pool that is revealed already, one whose associated data opens under the pool's key is revealed.
    """
    owners = _owners(connection, [number for number, _, _ in matched])
    groups: dict[tuple[int, Pool], list[tuple[int, Opened]]] = {}
    for number, one, pool in matched:
        groups.setdefault((owners[number], pool), []).append((number, one))
    return sum(_extend(connection, account, pool, group, now) for (account, pool), group in groups.items())


def insert_reveals(connection: Connection, account: int, rows: Iterable[tuple[int, bytes]], now: int) -> int:
    """Reveal the associated data of vouchers (row number, data), each once; returns how many are new."""
    values = [{"voucher": v, "account": account, "associated": data, "revealed": now} for v, data in rows]
    new = insert_new(connection, reveals, values)
    if new:
        counted = update(accounts).where(accounts.c.id == account)
        connection.execute(counted.values(revealed=accounts.c.revealed + new))
    return new


def _extend(connection: Connection, account: int, pool: Pool, group: Sequence[tuple[int, Opened]], now: int) -> int:
    number, ad_key = _pool_row(connection, account, pool)
    rows, revealed = [], []
    for voucher, one in group:
        data = None if ad_key is None or one.malformed else open_associated(ad_key, one)
        verdict = Verdict.MALFORMED if one.malformed else None
        if data is not None:
            verdict = Verdict.REVEALED
            revealed.append((voucher, data))
        value = verdict and verdict.value
        rows.append({"voucher": voucher, "pool": number, "share": one.share, "adct": one.adct, "verdict": value})
    connection.execute(insert(opened), rows)
    malformed = [voucher for voucher, one in group if one.malformed]
    raise_flags(connection, Flag.MALFORMED, malformed, now)
    count = len(group)
    connection.execute(update(pools).where(pools.c.id == number).values(opened=pools.c.opened + count))
    connection.execute(update(accounts).where(accounts.c.id == account).values(opened=accounts.c.opened + count))
    return insert_reveals(connection, account, revealed, now)


def _pool_row(connection: Connection, account: int, pool: Pool) -> tuple[int, Secret | None]:
    """The number of a pool's row, made if it is new, and the key that a reveal gave."""
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
    row = connection.execute(select(pools.c.id, pools.c.ad_key).where(*wanted)).one()
    return row.id, None if row.ad_key is None else Secret(row.ad_key)


def _owners(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """The account of every voucher, by row numbers."""
    owners: dict[int, int] = {}
    for start in range(0, len(numbers), _LOOKUP):
        wanted = vouchers.c.id.in_(numbers[start : start + _LOOKUP])
        found = connection.execute(select(vouchers.c.id, vouchers.c.account).where(wanted))
        owners.update((row.id, row.account) for row in found)
    return owners
