"""The tables of `outbox.sqlite3`."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

#: Written to `PRAGMA user_version`; a database of another version is refused, never guessed at.
SCHEMA_VERSION: Final = 1

metadata = MetaData()

#: Small facts by name: the identity of the device, the generation, the digest of the table in use …
setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Every manifest accepted or followed, so that a fork of any of them is noticed.
epoch = Table(
    "epoch",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
)

#: Memory tags (specification, section 7.6). Nothing ever deletes from this table.
memory = Table(
    "memory",
    metadata,
    Column("tag", LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)

#: Files whose content was sealed, by keyed digests of path and content: the names themselves are not kept.
file = Table(
    "file",
    metadata,
    Column("path_tag", LargeBinary, primary_key=True),
    Column("content_tag", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("modified", Integer, nullable=False),
    sqlite_with_rowid=False,
)

#: `state` is one of QUEUED, ACKNOWLEDGED, REFUSED, REPLACED. Whether a voucher is real, synthetic or null is
#: deliberately not kept: whoever finds this file learns no more from it than the server does.
voucher = Table(
    "voucher",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("voucher_id", LargeBinary, nullable=False, unique=True),
    Column("epoch", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("exported", Boolean, nullable=False),
    Column("payload", LargeBinary, nullable=True),
)
Index("voucher_by_state", voucher.c.state, voucher.c.voucher_id)

QUEUED: Final = "queued"
ACKNOWLEDGED: Final = "acknowledged"
REFUSED: Final = "refused"
REPLACED: Final = "replaced"
