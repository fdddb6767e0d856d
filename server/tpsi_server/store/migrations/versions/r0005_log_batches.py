"""The log commits to reveals in batches: what waits for one, the batches, and the commitments in them."""

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"


def upgrade() -> None:
    """Add the tables; each commitment that there is already is a batch of its own."""
    op.create_table(
        "log_pending",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("list_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voucher_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("noted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "list_id", "generation", "voucher_id"),
    )
    op.create_index("ix_log_pending_noted", "log_pending", ["noted"], unique=False)
    op.create_table(
        "log_batches",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["opened"], ["log_entries.place"]),
        sa.ForeignKeyConstraint(["place"], ["log_entries.place"]),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("ix_log_batches_due", "log_batches", ["due"], unique=False)
    op.create_table(
        "log_commitments",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(length=32), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["place"], ["log_batches.place"]),
        sa.PrimaryKeyConstraint("place", "position"),
    )
    op.create_index("ix_log_commitments_account", "log_commitments", ["account"], unique=False)
    op.create_table(
        "log_commitment_vouchers",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voucher_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["place", "position"], ["log_commitments.place", "log_commitments.position"]),
        sa.PrimaryKeyConstraint("place", "position", "voucher_id"),
    )
    op.execute("INSERT INTO log_batches SELECT place, 1, due, opened FROM log_notices")
    empty = sa.literal(b"", sa.LargeBinary())
    old = sa.table("log_notices", *map(sa.column, ("place", "account", "notice", "opening")))
    new = sa.table("log_commitments", *map(sa.column, ("place", "position", "account", "notice", "opening", "path")))
    chosen = sa.select(old.c.place, sa.literal(0), old.c.account, old.c.notice, old.c.opening, empty)
    op.execute(new.insert().from_select([column.name for column in new.c], chosen))
    op.execute("INSERT INTO log_commitment_vouchers SELECT place, 0, voucher_id FROM log_notice_vouchers")
    op.drop_table("log_notice_vouchers")
    op.drop_table("log_notices")
