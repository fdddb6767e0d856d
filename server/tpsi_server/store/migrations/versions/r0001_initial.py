"""The schema of version 0.1.0."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables and indices."""

    op.create_table(
        "data_keys",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("retired", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("vouchers", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("revealed", sa.BigInteger(), nullable=False),
        sa.Column("last_upload", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "epochs",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("retired", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "sources",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account_flags",
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("flag", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account", "flag"),
    )
    op.create_table(
        "entries",
        sa.Column("item", sa.LargeBinary(length=98), nullable=False),
        sa.Column("source", _ROW_ID, nullable=False),
        sa.Column("entry", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "source", "entry"),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_of_source", "entries", ["source", "entry"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("source", _ROW_ID, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("imported", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_imports_source"), "imports", ["source"], unique=False)
    op.create_table(
        "pools",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("list_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("count_by", sa.String(length=8), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("examined", sa.BigInteger(), nullable=False),
        sa.Column("examined_at", sa.BigInteger(), nullable=True),
        sa.Column("took", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("ad_key", sa.LargeBinary(), nullable=True),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "list_id", "generation", "threshold", "rows", "count_by"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "pools_changed",
        "pools",
        ["id"],
        unique=False,
        sqlite_where=sa.text("opened > examined AND opened > threshold AND ad_key IS NULL"),
        postgresql_where=sa.text("opened > examined AND opened > threshold AND ad_key IS NULL"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("account", _ROW_ID, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tokens_account"), "tokens", ["account"], unique=False)
    op.create_table(
        "vouchers",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("voucher_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["epoch"],
            ["epochs.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "voucher_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "vouchers_failed",
        "vouchers",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 3"),
        postgresql_where=sa.text("state = 3"),
    )
    op.create_index(
        "vouchers_waiting",
        "vouchers",
        ["epoch", "id"],
        unique=False,
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )
    op.create_table(
        "claims",
        sa.Column("voucher", _ROW_ID, nullable=False),
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["voucher"],
            ["vouchers.id"],
        ),
        sa.PrimaryKeyConstraint("voucher"),
    )
    op.create_index(op.f("ix_claims_token"), "claims", ["token"], unique=False)
    op.create_table(
        "opened",
        sa.Column("voucher", _ROW_ID, nullable=False),
        sa.Column("pool", _ROW_ID, nullable=False),
        sa.Column("share", sa.LargeBinary(), nullable=False),
        sa.Column("adct", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["pool"],
            ["pools.id"],
        ),
        sa.ForeignKeyConstraint(
            ["voucher"],
            ["vouchers.id"],
        ),
        sa.PrimaryKeyConstraint("voucher"),
    )
    op.create_index("opened_of_pool", "opened", ["pool", "voucher"], unique=False)
    op.create_table(
        "reveals",
        sa.Column("voucher", _ROW_ID, nullable=False),
        sa.Column("account", _ROW_ID, nullable=False),
        sa.Column("associated", sa.LargeBinary(), nullable=False),
        sa.Column("revealed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["voucher"],
            ["vouchers.id"],
        ),
        sa.PrimaryKeyConstraint("voucher"),
    )
    op.create_index("reveals_of_account", "reveals", ["account", "voucher"], unique=False)
