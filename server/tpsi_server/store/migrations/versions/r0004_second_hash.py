"""A second hash of listed pictures, what it says of reveals, and what the operator expects of the list."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    """Add the tables and columns; what was revealed before waits to be compared."""
    op.create_table(
        "companions",
        sa.Column("item", sa.LargeBinary(length=98), nullable=False),
        sa.Column("companion", sa.LargeBinary(length=98), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("item", "companion"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "list_settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("reveals", sa.Column("verdict", sa.String(length=16), nullable=True))
    op.add_column("reveals", sa.Column("distance", sa.Integer(), nullable=True))
    op.create_index(
        "reveals_unchecked",
        "reveals",
        ["voucher"],
        unique=False,
        sqlite_where=sa.text("verdict IS NULL"),
        postgresql_where=sa.text("verdict IS NULL"),
    )
