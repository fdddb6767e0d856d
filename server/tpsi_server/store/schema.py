"""The schema: tables and indices, in SQLAlchemy's terms.

Times are whole milliseconds since 1970. Columns whose content nobody but a reviewer may see are marked
`sensitive` in their `info`: what is in them is sealed (`cells`).
"""

from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal,
)

#: The newest revision of the schema: `migrations` tells how to change it.
REVISION = "r0005"

#: SQLite counts rows by itself only in columns of the type INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")
_SENSITIVE = {"sensitive": True}

metadata = MetaData()


class VoucherState(IntEnum):
    """Where a voucher stands. Its payload is there while it waits, and while it is set aside (FAILED)."""

    WAITING = 0
    MATCHED = 1
    UNMATCHED = 2
    FAILED = 3


#: The keys that sensitive columns are sealed under (`cells`), by number; the keys themselves are in key files.
data_keys = Table(
    "data_keys",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("created", BigInteger, nullable=False),
    Column("retired", BigInteger),
)

# ---------------------------------------------------------------- accounts

accounts = Table(
    "accounts",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    # kept with the rows that they count, in the same transactions
    Column("vouchers", BigInteger, nullable=False, default=0),
    Column("opened", BigInteger, nullable=False, default=0),
    Column("revealed", BigInteger, nullable=False, default=0),
    Column("last_upload", BigInteger),
    sqlite_autoincrement=True,
)

account_flags = Table(
    "account_flags",
    metadata,
    Column("account", ForeignKey("accounts.id"), primary_key=True),
    Column("flag", String(32), primary_key=True),
    Column("since", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("account", ForeignKey("accounts.id"), index=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    sqlite_autoincrement=True,
)

#: Client certificates, by the SHA-256 of their DER. `anchor` is the DER of one that no authority of this server issued.
certificates = Table(
    "certificates",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("account", ForeignKey("accounts.id"), index=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    Column("anchor", LargeBinary),
    sqlite_autoincrement=True,
)

#: What one account may send, where that is not what the server's settings say. 0 is no limit.
account_limits = Table(
    "account_limits",
    metadata,
    Column("account", ForeignKey("accounts.id"), primary_key=True),
    Column("vouchers", BigInteger),
    Column("octets_a_day", BigInteger),
    Column("vouchers_a_second", BigInteger),
)

#: Octets of vouchers that an account has sent on its last day, counted from 1970.
account_usage = Table(
    "account_usage",
    metadata,
    Column("account", ForeignKey("accounts.id"), primary_key=True),
    Column("day", BigInteger, nullable=False),
    Column("octets", BigInteger, nullable=False),
)

# ---------------------------------------------------------------- lists

sources = Table(
    "sources",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

#: What a source signed of its list: the newest import that came with a signature.
source_signatures = Table(
    "source_signatures",
    metadata,
    Column("source", ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("recorded", BigInteger, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("source", ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("format", String(32), nullable=False),
    Column("imported", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
)

#: A hash, once for every identifier that a source names it under; no identifier is the empty string.
entries = Table(
    "entries",
    metadata,
    Column("item", LargeBinary(98), primary_key=True),
    Column("source", ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("entry", String(256), primary_key=True),
    Index("entries_of_source", "source", "entry"),
    sqlite_with_rowid=False,
)

#: A second hash of a listed picture, of another family: what is revealed must be near one of them.
companions = Table(
    "companions",
    metadata,
    Column("item", LargeBinary(98), primary_key=True),
    Column("companion", LargeBinary(98), primary_key=True),
    Column("name", String(256), nullable=False),
    sqlite_with_rowid=False,
)

#: What the operator has said about the list as a whole; values are JSON.
list_settings = Table(
    "list_settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# ---------------------------------------------------------------- epochs and vouchers

epochs = Table(
    "epochs",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("retired", BigInteger),
)

vouchers = Table(
    "vouchers",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("voucher_id", LargeBinary(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("epoch", ForeignKey("epochs.number"), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("payload", LargeBinary),
    UniqueConstraint("account", "voucher_id"),
    sqlite_autoincrement=True,
)
#: The state is written out: a database uses a partial index only for a condition that it can see.
is_waiting = vouchers.c.state == literal(int(VoucherState.WAITING), literal_execute=True)
has_failed = vouchers.c.state == literal(int(VoucherState.FAILED), literal_execute=True)
Index("vouchers_failed", vouchers.c.id, sqlite_where=has_failed, postgresql_where=has_failed)
Index("vouchers_waiting", vouchers.c.epoch, vouchers.c.id, sqlite_where=is_waiting, postgresql_where=is_waiting)

#: Waiting vouchers that somebody works on; apart from the payloads, which are not to be written again for it.
claims = Table(
    "claims",
    metadata,
    Column("voucher", ForeignKey("vouchers.id"), primary_key=True),
    Column("token", LargeBinary(16), nullable=False, index=True),
    Column("leased_until", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
)

# ---------------------------------------------------------------- matches and reveals

#: Vouchers whose shares belong together (specification, section 6.1), and how far they have been examined.
pools = Table(
    "pools",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("list_id", LargeBinary(16), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("count_by", String(8), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("examined", BigInteger, nullable=False),  # how many were opened at the last examination
    Column("examined_at", BigInteger),
    Column("took", BigInteger, nullable=False, default=0),  # milliseconds
    Column("outcome", String(24)),
    Column("ad_key", LargeBinary, info=_SENSITIVE),
    Column("claim", LargeBinary(16)),
    Column("leased_until", BigInteger),
    UniqueConstraint("account", "list_id", "generation", "threshold", "rows", "count_by"),
    sqlite_autoincrement=True,
)
#: At or below the threshold there is nothing to be found, and after a reveal the key opens what comes later.
has_changed = (pools.c.opened > pools.c.examined) & (pools.c.opened > pools.c.threshold) & pools.c.ad_key.is_(None)
Index("pools_changed", pools.c.id, sqlite_where=has_changed, postgresql_where=has_changed)

#: `verdict` is null until the voucher's pool says something about it.
opened = Table(
    "opened",
    metadata,
    Column("voucher", ForeignKey("vouchers.id"), primary_key=True),
    Column("pool", ForeignKey("pools.id"), nullable=False),
    Column("share", LargeBinary, nullable=False, info=_SENSITIVE),
    Column("adct", LargeBinary, nullable=False, info=_SENSITIVE),
    Column("verdict", String(16)),
    Index("opened_of_pool", "pool", "voucher"),
)

reveals = Table(
    "reveals",
    metadata,
    Column("voucher", ForeignKey("vouchers.id"), primary_key=True),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("associated", LargeBinary, nullable=False, info=_SENSITIVE),
    Column("revealed", BigInteger, nullable=False),
    # what the second hash says of it (`companions`); null until it was compared
    Column("verdict", String(16)),
    Column("distance", Integer),
    Index("reveals_of_account", "account", "voucher"),
)
_is_unchecked = reveals.c.verdict.is_(None)
Index("reveals_unchecked", reveals.c.voucher, sqlite_where=_is_unchecked, postgresql_where=_is_unchecked)
