"""The tables of the log: entries as they were appended, and what its commitments stand for."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

from tpsi_server.store.schema import metadata

#: One row, whose lock whoever appends holds until the end of the transaction: places are given out without gaps.
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
)

#: Nothing is ever changed or deleted here. `leaf` is the entry's leaf digest.
log_entries = Table(
    "log_entries",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False, index=True),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False, index=True),
)

#: What a commitment in the log stands for; `due` in milliseconds since 1970; `opened` is the place of its opening.
log_notices = Table(
    "log_notices",
    metadata,
    Column("place", ForeignKey("log_entries.place"), primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False, index=True),
    Column("notice", LargeBinary, nullable=False),
    Column("opening", LargeBinary(32), nullable=False),
    Column("due", BigInteger, nullable=False, index=True),
    Column("opened", ForeignKey("log_entries.place")),
)

#: The ids of the vouchers that a notice is about; they stay when the reveal itself is deleted.
log_notice_vouchers = Table(
    "log_notice_vouchers",
    metadata,
    Column("place", ForeignKey("log_notices.place"), primary_key=True),
    Column("voucher_id", LargeBinary(16), primary_key=True),
)
