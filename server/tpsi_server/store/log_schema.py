"""The tables of the log: entries as they were appended, what its commitments stand for, and what waits for one."""

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, String, Table

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

#: Vouchers that were revealed, and that the log does not commit to yet; `noted` in milliseconds since 1970.
log_pending = Table(
    "log_pending",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("list_id", LargeBinary(16), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("voucher_id", LargeBinary(16), primary_key=True),
    Column("noted", BigInteger, nullable=False, index=True),
)

#: The reveal entries of the log; `due` in milliseconds since 1970; `opened` is the place of the opening.
log_batches = Table(
    "log_batches",
    metadata,
    Column("place", ForeignKey("log_entries.place"), primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("due", BigInteger, nullable=False, index=True),
    Column("opened", ForeignKey("log_entries.place")),
)

#: What each commitment of a batch stands for; `path` is the proof that it is in the batch, 32 octets a digest.
log_commitments = Table(
    "log_commitments",
    metadata,
    Column("place", ForeignKey("log_batches.place"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False, index=True),
    Column("notice", LargeBinary, nullable=False),
    Column("opening", LargeBinary(32), nullable=False),
    Column("path", LargeBinary, nullable=False),
)

#: The ids of the vouchers that a notice is about; they stay when the reveal itself is deleted.
log_commitment_vouchers = Table(
    "log_commitment_vouchers",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("voucher_id", LargeBinary(16), primary_key=True),
    ForeignKeyConstraint(("place", "position"), ("log_commitments.place", "log_commitments.position")),
)
