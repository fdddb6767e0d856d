"""The runtime: the parts of a server put together, opened and closed as one."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tpsi import Secret
from tpsi_server.accounts import Accounts
from tpsi_server.config import DataFolder, ServerIdentity
from tpsi_server.ingest import Ingest
from tpsi_server.store import Store
from tpsi_server.tables import TableRepository


@dataclass(frozen=True, slots=True)
class Status:
    """Counts over the whole server."""

    list_name: str
    accounts: int
    vouchers_received: int
    vouchers_waiting: int
    vouchers_failed: int
    accounts_revealed: int


class Runtime:
    """A server without its network: use it in a `with` block, or call `close`.

    `passphrase` opens the key files that matching needs; without it nothing is matched here.
    `workers`: processes that match beside this one; 0 matches in this process.
    """

    identity: ServerIdentity
    store: Store
    tables: TableRepository
    accounts: Accounts
    ingest: Ingest

    def __init__(self, folder: DataFolder, passphrase: Secret | None = None, *, workers: int = 1) -> None:
        raise NotImplementedError

    def start_matching(self) -> None:
        """Match what waits, and what will come, in the background; KeyFileError if no key opens."""
        raise NotImplementedError

    def stop_matching(self) -> None:
        """Stop within a second; work that was under way is done again later."""
        raise NotImplementedError

    def status(self) -> Status:
        """Counts over the whole server."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop matching, store what was submitted, close the database."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
