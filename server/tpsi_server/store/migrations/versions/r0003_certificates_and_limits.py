"""Client certificates; what an account may send, and has sent today."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "certificates",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("account", _ROW_ID, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("anchor", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_certificates_account"), "certificates", ["account"], unique=False)
    op.create_table(
        "account_limits",
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("vouchers", sa.BigInteger(), nullable=True),
        sa.Column("octets_a_day", sa.BigInteger(), nullable=True),
        sa.Column("vouchers_a_second", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "account_usage",
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("account"),
    )
