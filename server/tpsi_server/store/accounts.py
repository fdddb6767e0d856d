"""Accounts and tokens in the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from tpsi_server.store import credentials
from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.schema import account_flags, accounts, tokens


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account and its counts. Times in seconds since 1970.

    `opened` includes synthetic vouchers: below the threshold nobody can tell them apart. `flags` are signs
    of shares that no honest device sends.
    """

    id: int
    name: str
    created: float
    revoked: float | None
    vouchers: int
    opened: int
    revealed: int
    last_upload: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token, known by its digest only. `account_revoked`: when its account was revoked."""

    id: int
    role: str
    account: str | None
    created: float
    expires: float | None
    revoked: float | None
    account_revoked: float | None


class AccountStore:
    """Accounts, their flags, and tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retrying
    def add(self, name: str, now: float) -> bool:
        """Add an account; False if there is one of this name."""
        row = {"name": name, "created": to_stored(now), "vouchers": 0, "opened": 0, "revealed": 0}
        with self._database.write() as connection:
            return insert_new(connection, accounts, [row]) == 1

    def find(self, name: str) -> AccountRecord | None:
        """The account of this name."""
        return next(iter(self._select(accounts.c.name == name)), None)

    def page(self, after: str = "", limit: int = 100) -> list[AccountRecord]:
        """Up to `limit` accounts whose names come after one, in the order of their names."""
        return self._select(accounts.c.name > after, limit)

    @retrying
    def revoke(self, name: str, now: float) -> bool:
        """Mark an account as revoked; False if there is none of this name. The first time counts."""
        with self._database.write() as connection:
            return credentials.revoke(connection, accounts, accounts.c.name == name, now)

    def count(self) -> int:
        """How many accounts there are."""
        return self._count(accounts.c.id.is_not(None))

    def count_revealed(self) -> int:
        """How many accounts had something revealed."""
        return self._count(accounts.c.revealed > 0)

    def count_vouchers(self) -> int:
        """How many vouchers all accounts have sent."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(accounts.c.vouchers), 0))).scalar_one())

    @retrying
    def add_token(self, digest: bytes, role: str, account: str | None, now: float, expires: float | None) -> int | None:
        """Store a token's digest; its number, or None if there is no such account, or it is revoked."""
        values = {
            "digest": digest,
            "role": role,
            "created": to_stored(now),
            "expires": None if expires is None else to_stored(expires),
        }
        with self._database.write() as connection:
            return credentials.issue(connection, tokens, account, values)

    def find_token(self, digest: bytes) -> TokenRecord | None:
        """The token with this digest."""
        return next(iter(self._select_tokens(tokens.c.digest == digest)), None)

    def tokens(self) -> list[TokenRecord]:
        """All tokens, in the order in which they were issued."""
        return self._select_tokens(tokens.c.id.is_not(None))

    @retrying
    def revoke_token(self, number: int, now: float) -> bool:
        """Mark a token as revoked; False if there is none of this number. The first time counts."""
        with self._database.write() as connection:
            return credentials.revoke(connection, tokens, tokens.c.id == number, now)

    def _select(self, condition: ColumnElement[bool], limit: int | None = None) -> list[AccountRecord]:
        chosen = select(accounts).where(condition).order_by(accounts.c.name).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
            flags: dict[int, list[str]] = {}
            if rows:
                within = account_flags.c.account.in_(select(chosen.subquery().c.id))
                for row in connection.execute(select(account_flags).where(within).order_by(account_flags.c.flag)):
                    flags.setdefault(row.account, []).append(row.flag)
        return [_account(row, flags.get(row.id, ())) for row in rows]

    def _count(self, condition: ColumnElement[bool]) -> int:
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(accounts).where(condition)).scalar_one())

    def _select_tokens(self, condition: ColumnElement[bool]) -> list[TokenRecord]:
        with self._database.read() as connection:
            return [_token(row) for row in credentials.with_accounts(connection, tokens, condition)]


def _account(row: Any, flags: Sequence[str]) -> AccountRecord:
    return AccountRecord(
        row.id,
        row.name,
        from_stored(row.created),
        from_stored_or_none(row.revoked),
        row.vouchers,
        row.opened,
        row.revealed,
        from_stored_or_none(row.last_upload),
        tuple(flags),
    )


def _token(row: Any) -> TokenRecord:
    return TokenRecord(
        row.id,
        row.role,
        row.name,
        from_stored(row.created),
        from_stored_or_none(row.expires),
        from_stored_or_none(row.revoked),
        from_stored_or_none(row.account_revoked),
    )
