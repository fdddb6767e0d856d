"""Batches of reveals: from vouchers that wait for a commitment to the notices of one entry (specification, 16.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from tpsi import Secret
from tpsi.log import Disclosure, Notice, Tree, draw_opening
from tpsi.log.notice import MAX_BATCH, batch_root, voucher_digest
from tpsi_server.store.database import batched
from tpsi_server.store.log_schema import log_pending
from tpsi_server.store.schema import opened, pools, vouchers

#: Vouchers that one batch is about at most.
_MOST = 20_000

#: An account, a list and a generation: what one notice is about.
Group = tuple[str, bytes, int]


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A commitment with all that it stands for, whether or not the account has been told."""

    disclosure: Disclosure
    voucher_ids: tuple[bytes, ...]


@dataclass(slots=True)
class Pending:
    """What one batch is about: the vouchers of each group, and when the last of them was noted (milliseconds)."""

    noted: int = 0
    groups: dict[Group, list[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch: what its entry says, its size, and the rows of its commitments and of their vouchers, without place."""

    root: bytes
    size: int
    commitments: Sequence[Mapping[str, Any]]
    vouchers: Sequence[Mapping[str, Any]]


def pending_rows(connection: Connection, account: str, numbers: Sequence[int], now: int) -> list[dict[str, Any]]:
    """Rows that note vouchers (row numbers) of an account as revealed, with the pools that they are in."""
    joined = opened.join(vouchers, opened.c.voucher == vouchers.c.id).join(pools, opened.c.pool == pools.c.id)
    columns = pools.c.list_id, pools.c.generation, vouchers.c.voucher_id
    found: list[dict[str, Any]] = []
    for some in batched(numbers):
        rows = connection.execute(select(*columns).select_from(joined).where(opened.c.voucher.in_(some)))
        found += [{"account": account, "noted": now, **row} for row in rows.mappings()]
    return found


def take_pending(connection: Connection) -> Pending:
    """Take out what the next batch is about, the oldest first; nothing if nothing waits."""
    columns = log_pending.c.account, log_pending.c.list_id, log_pending.c.generation
    chosen = select(log_pending).order_by(log_pending.c.noted, *columns).limit(_MOST)
    taken = Pending()
    for row in connection.execute(chosen).all():
        group = row.account, row.list_id, row.generation
        if group in taken.groups or len(taken.groups) < MAX_BATCH:
            taken.groups.setdefault(group, []).append(row.voucher_id)
            taken.noted = max(taken.noted, row.noted)
    for (account, list_id, generation), ids in taken.groups.items():
        mine = and_(columns[0] == account, columns[1] == list_id, columns[2] == generation)
        for some in batched(ids):
            connection.execute(delete(log_pending).where(mine, log_pending.c.voucher_id.in_(some)))
    return taken


def make_batch(pending: Pending, time: int) -> Batch:
    """Commit to what was taken, in an entry of a time (seconds since 1970)."""
    made: list[tuple[bytes, Notice, Secret, Sequence[bytes]]] = []
    for (account, list_id, generation), ids in pending.groups.items():
        notice = Notice(account, list_id, generation, time, len(ids), voucher_digest(ids))
        opening = draw_opening()
        made.append((notice.commitment(opening), notice, opening, ids))
    made.sort(key=lambda one: one[0])
    tree = Tree(commitment for commitment, *_ in made)
    commitments = [
        {
            "position": position,
            "account": notice.account,
            "notice": notice.encoded,
            "opening": opening.reveal(),
            "path": b"".join(tree.inclusion(position, len(tree))),
        }
        for position, (_, notice, opening, _ids) in enumerate(made)
    ]
    about = [{"position": position, "voucher_id": one} for position, made_of in enumerate(made) for one in made_of[3]]
    return Batch(batch_root([commitment for commitment, *_ in made]), len(made), commitments, about)
