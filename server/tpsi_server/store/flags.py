"""Flags on accounts: signs that a device sends what no honest one does, or what cannot be processed."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, select

from tpsi_server.store.database import batched, insert_new
from tpsi_server.store.schema import account_flags, vouchers


class Flag(StrEnum):
    """What was seen."""

    FAILED = "failed"  # a voucher that could not be matched at all was set aside
    MALFORMED = "malformed"  # a share that is none
    CONFLICTING = "conflicting"  # two shares with one coordinate
    UNOPENED = "unopened"  # a real share, with associated data that does not open
    OVERSIZED = "oversized"  # more opened vouchers than are examined together


def raise_flags(connection: Connection, flag: Flag, voucher_numbers: Sequence[int], now: int) -> None:
    """Flag the accounts of some vouchers; the first time counts."""
    for some in batched(voucher_numbers):
        wanted = vouchers.c.id.in_(some)
        found = connection.execute(select(vouchers.c.account).where(wanted).distinct()).scalars()
        for account in found.all():
            raise_flag(connection, flag, account, now)


def raise_flag(connection: Connection, flag: Flag, account: int, now: int) -> None:
    """Flag an account; the first time counts."""
    insert_new(connection, account_flags, [{"account": account, "flag": str(flag), "since": now}])
