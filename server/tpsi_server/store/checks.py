"""Checks of what the store promises about its own rows, beyond what the engine itself enforces."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select

from tpsi_server.store.schema import VoucherState, accounts, claims, opened, pools, reveals, vouchers


def miscounted(connection: Connection) -> Iterator[str]:
    """Sentences about rows that contradict each other; none in a sound database."""
    yield from _too_few(connection, accounts.c.vouchers, _counted(vouchers.c.account))
    yield from _differing(connection, accounts.c.opened, _opened_of_accounts())
    yield from _differing(connection, accounts.c.revealed, _counted(reveals.c.account))
    yield from _differing(connection, pools.c.opened, _counted(opened.c.pool))
    yield from _inconsistent(connection)


def _inconsistent(connection: Connection) -> Iterator[str]:
    """Vouchers whose state does not fit what else there is of them."""
    columns = vouchers.c.state, vouchers.c.payload.is_not(None), opened.c.voucher.is_not(None)
    joined = vouchers.outerjoin(opened, opened.c.voucher == vouchers.c.id).outerjoin(claims)
    chosen = select(*columns, claims.c.voucher.is_not(None)).select_from(joined).distinct()
    for number, has_payload, has_share, is_claimed in connection.execute(chosen):
        state = VoucherState(number)
        if has_payload != (state in (VoucherState.WAITING, VoucherState.FAILED)):
            yield f"a voucher in the state {state.name} {'has a' if has_payload else 'has no'} payload"
        if has_share != (state is VoucherState.MATCHED):
            yield f"a voucher in the state {state.name} {'has a' if has_share else 'has no'} share"
        if is_claimed and state is not VoucherState.WAITING:
            yield f"a voucher in the state {state.name} is claimed"


def _counted(owner: Column[int]) -> Select[int, int]:
    return select(owner.label("owner"), func.count().label("number")).group_by(owner)


def _opened_of_accounts() -> Select[int, int]:
    joined = opened.join(pools, opened.c.pool == pools.c.id)
    return _counted(pools.c.account).select_from(joined)


def _differing(connection: Connection, kept: Column[int], counted: Select[int, int]) -> Iterator[str]:
    """Rows whose count is not that of the rows that it counts."""
    return _contradicting(connection, kept, counted, operator.ne)


def _too_few(connection: Connection, kept: Column[int], counted: Select[int, int]) -> Iterator[str]:
    """Rows whose count is below that of the rows that it counts; those that were forgotten still count."""
    return _contradicting(connection, kept, counted, operator.lt)


def _contradicting(
    connection: Connection, kept: Column[int], counted: Select[int, int], wrong: Callable[[Any, Any], Any]
) -> Iterator[str]:
    table, found = kept.table, counted.subquery()
    number = func.coalesce(found.c.number, 0)
    joined = table.outerjoin(found, found.c.owner == table.c.id)
    for row in connection.execute(select(table.c.id, kept, number).select_from(joined).where(wrong(kept, number))):
        yield f"row {row[0]} of {table.name} counts {row[1]} {kept.name}, there are {row[2]}"
