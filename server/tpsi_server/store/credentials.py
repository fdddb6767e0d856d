"""What the tables of tokens and certificates have in common: a row is of one account or of none, and can be revoked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, func, insert, select, update

from tpsi_server.store.clock import to_stored
from tpsi_server.store.schema import accounts


def issue(connection: Connection, table: Table, account: str | None, values: Mapping[str, object]) -> int | None:
    """Store a credential; its number, or None if there is no such account, or it is revoked."""
    owner = None
    if account is not None:
        wanted = (accounts.c.name == account) & accounts.c.revoked.is_(None)
        owner = connection.execute(select(accounts.c.id).where(wanted)).scalar()
        if owner is None:
            return None
    done = connection.execute(insert(table).values(account=owner, **values))
    (number,) = done.inserted_primary_key or (0,)
    return int(number)


def with_accounts(connection: Connection, table: Table, condition: ColumnElement[bool]) -> list[Row[Any]]:
    """The credentials that fulfil a condition, by number, each with its account's `name` and `account_revoked`."""
    joined = table.outerjoin(accounts, table.c.account == accounts.c.id)
    chosen = select(table, accounts.c.name, accounts.c.revoked.label("account_revoked")).select_from(joined)
    return list(connection.execute(chosen.where(condition).order_by(table.c.id)))


def revoke(connection: Connection, table: Table, condition: ColumnElement[bool], now: float) -> bool:
    """Mark a row of a table with a column `revoked`; False if there is none. The first time counts."""
    values = {"revoked": func.coalesce(table.c.revoked, to_stored(now))}
    return connection.execute(update(table).where(condition).values(values)).rowcount == 1
