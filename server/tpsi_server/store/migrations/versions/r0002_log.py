"""The log with its notices, and the signatures that sources give their lists."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; the epochs that there are come into the log when the server is opened."""
    op.create_table(
        "source_signatures",
        sa.Column("source", _ROW_ID, nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "log_entries",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("ix_log_entries_kind", "log_entries", ["kind"], unique=False)
    op.create_index("ix_log_entries_leaf", "log_entries", ["leaf"], unique=False)
    op.create_table(
        "log_notices",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(length=32), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["opened"], ["log_entries.place"]),
        sa.ForeignKeyConstraint(["place"], ["log_entries.place"]),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("ix_log_notices_account", "log_notices", ["account"], unique=False)
    op.create_index("ix_log_notices_due", "log_notices", ["due"], unique=False)
    op.create_table(
        "log_notice_vouchers",
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("voucher_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["place"], ["log_notices.place"]),
        sa.PrimaryKeyConstraint("place", "voucher_id"),
    )
