"""The runtime: the parts of a server put together, opened and closed as one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tpsi import Secret
from tpsi_server.accounts import Accounts
from tpsi_server.certificates import Certificates
from tpsi_server.config import DataFolder, ServerIdentity
from tpsi_server.crew import Crew, OwnCrew, ProcessCrew
from tpsi_server.errors import OperatorError
from tpsi_server.ingest import Ingest
from tpsi_server.keys import KeyRing
from tpsi_server.matching import Matcher, MatchingThread, Tally
from tpsi_server.store import Store
from tpsi_server.tables import TableRepository
from tpsi_server.transparency import TransparencyLog

_log = logging.getLogger(__name__)


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
    `workers`: processes that match beside this one; 0 matches in this process. They are started with the
    matching, which a script that does so guards by `if __name__ == "__main__"`.

    Raises DataError or StoreError if the data folder cannot be used.
    """

    identity: ServerIdentity
    store: Store
    tables: TableRepository
    accounts: Accounts
    certificates: Certificates
    ingest: Ingest
    log: TransparencyLog

    def __init__(self, folder: DataFolder, passphrase: Secret | None = None, *, workers: int = 1) -> None:
        self.folder = folder
        self.identity = folder.identity()
        self._keys = None if passphrase is None else KeyRing(folder.keys, passphrase)
        self.store = Store.open(folder.location, None if self._keys is None else self._keys.data_key)
        try:
            self.tables = TableRepository(folder, self.store)
        except BaseException:
            self.store.close()
            raise
        self.accounts = Accounts(self.store)
        self.certificates = Certificates(self.store)
        self.store.vouchers.allowance = folder.allowance()
        self.ingest = Ingest(self.store, self.tables)
        self.log = TransparencyLog(self.store, self.identity.list_id, self._keys)
        self._workers = workers
        self._matching: MatchingThread | None = None

    def start_matching(self) -> None:
        """Match what waits, and what will come, in the background; KeyFileError if no key opens.

        Does nothing if it is under way.
        """
        if self._matching is None:
            self._matching = MatchingThread(self._matcher())
            processes = "1 worker process" if self._workers == 1 else f"{self._workers} worker processes"
            _log.info("matching with %s", processes if self._workers else "this process alone")

    def check_passphrase(self) -> None:
        """KeyFileError if the passphrase does not open the server's signing key, or there is none."""
        if self._keys is not None:
            self._keys.signing_key()

    @property
    def tally(self) -> Tally:
        """What matching in the background has done since it was started."""
        return Tally() if self._matching is None else self._matching.tally

    def stop_matching(self) -> None:
        """Stop within a second; work that was under way is done again later."""
        if self._matching is not None:
            self._matching.stop()
            self._matching = None

    def match_all(self, report: Callable[[Tally], None] = lambda _tally: None) -> Tally:
        """Match what waits, examine what has changed, and return what came of it.

        `report` is told how far it has come. OperatorError while matching goes on in the background.
        """
        if self._matching is not None:
            raise OperatorError("matching goes on in the background already")
        matcher = self._matcher()
        try:
            return matcher.drain(report)
        finally:
            matcher.close()

    def status(self) -> Status:
        """Counts over the whole server."""
        accounts, vouchers = self.store.accounts, self.store.vouchers
        return Status(
            self.identity.name,
            accounts.count(),
            accounts.count_vouchers(),
            vouchers.count_waiting(),
            vouchers.count_failed(),
            accounts.count_revealed(),
        )

    def close(self) -> None:
        """Stop matching, store what was submitted, close the database; closing again does nothing."""
        self.stop_matching()
        self.ingest.close()
        self.store.close()

    def _matcher(self) -> Matcher:
        """A matcher with its crew, once the keys of all epochs in force have opened."""
        if self._keys is None:
            raise OperatorError("nothing can be matched without the passphrase of the key files")
        crew: Crew = ProcessCrew(self._workers) if self._workers else OwnCrew()  # it starts up in the meantime
        try:
            self._keys.signing_key()
            for epoch in self.tables.all():
                if not epoch.retired:
                    self._keys.epoch(epoch.manifest)
        except BaseException:
            crew.close()
            raise
        return Matcher(self.store, self.tables, self._keys, crew)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
