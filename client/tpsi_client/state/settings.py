"""Small facts of a device by name, in the `setting` table."""

from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from tpsi_client.state.schema import setting

IDENTITY: Final = "identity"  # of the device that the database belongs to
SECRET_CHECK: Final = "secret_check"  # noqa: S105 - of the account secret under which its vouchers were sealed
GENERATION: Final = "generation"  # drawn at enrolment and by every rescan
RESCANS: Final = "rescans"  # how many there were
TABLE: Final = "table"  # manifest digest of the table in use, hex
SEALED: Final = "sealed"  # vouchers made, those carried away by the caller included
BAD_CANDIDATES: Final = "bad_candidates"
LAST_FETCH: Final = "last_fetch"  # seconds since 1970
LAST_UPLOAD: Final = "last_upload"
CHECKPOINT: Final = "checkpoint"  # of the server's log, the last one that was accepted
LOG_READ: Final = "log_frontier"  # frontier of the log's tree as far as its entries were read for the policy on notices
NOTIFY_AFTER: Final = "notify_after"  # seconds after which accounts are told of reveals, empty if they are not
NOTICES: Final = "notices"  # reveals that the server told of: a JSON list of [place in the log, notice]


def read(connection: Connection, name: str) -> str | None:
    """A fact, None if it was never written."""
    return connection.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()


def write(connection: Connection, name: str, value: str) -> None:
    """Write or overwrite a fact."""
    statement = insert(setting).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def add(connection: Connection, name: str, amount: int) -> None:
    """Count up a fact that is a number."""
    if amount:
        write(connection, name, str(int(read(connection, name) or 0) + amount))
