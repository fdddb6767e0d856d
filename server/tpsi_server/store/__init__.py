"""The store: accounts, lists, vouchers and what became of them, in one database.

Every method that writes is one transaction, durable when it returns. All methods may be called from any
thread, and raise StoreError if the database fails.
"""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from tpsi_server.store.accounts import AccountRecord, AccountStore, TokenRecord
from tpsi_server.store.cells import Cells, DamagedError, DataKeys
from tpsi_server.store.certificates import CertificateRecord, CertificateStore
from tpsi_server.store.companions import CompanionStore, Coverage
from tpsi_server.store.database import FIRST_DATA_KEY, Database
from tpsi_server.store.datakeys import DataKeyRecord, DataKeyStore
from tpsi_server.store.epochs import EpochRecord, EpochStore
from tpsi_server.store.flags import Flag
from tpsi_server.store.lists import Imported, ImportRecord, ListStore, SourceRecord, Spool
from tpsi_server.store.location import Location, describe, parse_location
from tpsi_server.store.log import LogStore
from tpsi_server.store.log_batches import NoticeRecord
from tpsi_server.store.matches import Claim, Claimed, Match, MatchStore, Recorded
from tpsi_server.store.pools import Due, News, PoolStore, Taken
from tpsi_server.store.quotas import UNLIMITED, Allowance, Exceeded, QuotaStore
from tpsi_server.store.retention import Forgotten, Periods, RetentionStore
from tpsi_server.store.reveals import Counts, Reveal, RevealStore, Unchecked
from tpsi_server.store.schema import VoucherState
from tpsi_server.store.settings import SettingStore
from tpsi_server.store.vouchers import Answer, Delivery, Incoming, SetAside, VoucherStore

__all__ = [
    "FIRST_DATA_KEY",
    "UNLIMITED",
    "AccountRecord",
    "AccountStore",
    "Allowance",
    "Answer",
    "CertificateRecord",
    "CertificateStore",
    "Claim",
    "Claimed",
    "CompanionStore",
    "Counts",
    "Coverage",
    "DamagedError",
    "DataKeyRecord",
    "DataKeyStore",
    "DataKeys",
    "Database",
    "Delivery",
    "Due",
    "EpochRecord",
    "EpochStore",
    "Exceeded",
    "Flag",
    "Forgotten",
    "ImportRecord",
    "Imported",
    "Incoming",
    "ListStore",
    "Location",
    "LogStore",
    "Match",
    "MatchStore",
    "News",
    "NoticeRecord",
    "Periods",
    "PoolStore",
    "QuotaStore",
    "Recorded",
    "RetentionStore",
    "Reveal",
    "RevealStore",
    "SetAside",
    "SourceRecord",
    "Spool",
    "Store",
    "Taken",
    "TokenRecord",
    "Unchecked",
    "VoucherState",
    "VoucherStore",
    "describe",
    "parse_location",
]


class Store:
    """The parts of the store over one database; use it in a `with` block, or call `close`."""

    def __init__(self, database: Database, data_keys: DataKeys | None = None) -> None:
        cells = Cells(data_keys)
        self._database = database
        self.accounts = AccountStore(database)
        self.certificates = CertificateStore(database)
        self.lists = ListStore(database)
        self.epochs = EpochStore(database)
        self.quotas = QuotaStore(database)
        self.vouchers = VoucherStore(database)
        self.matches = MatchStore(database, cells)
        self.pools = PoolStore(database, cells)
        self.log = LogStore(database)
        self.reveals = RevealStore(database, cells, self.log)
        self.data_keys = DataKeyStore(database, cells)
        self.retention = RetentionStore(database)
        self.settings = SettingStore(database)
        self.companions = CompanionStore(database, self.settings)

    @classmethod
    def open(cls, location: Location, data_keys: DataKeys | None = None) -> Self:
        """Open a store; StoreError if there is none at the location, or it is of another version.

        `data_keys` opens what is sealed in it; without, whatever needs that raises KeyFileError.
        """
        return cls(Database(location), data_keys)

    @classmethod
    def create(cls, location: Location, data_keys: DataKeys | None = None) -> Self:
        """Make a new, empty store; StoreError if there is one at the location."""
        return cls(Database.create(location), data_keys)

    @classmethod
    def destroy(cls, location: Location) -> None:
        """Take back `create`, while nobody uses it."""
        Database.destroy(location)

    @property
    def location(self) -> Location:
        """Where it is: the path of an SQLite file, or the URL of a PostgreSQL database."""
        return self._database.location

    @property
    def retries(self) -> int:
        """How many transactions were run again because others stood in their way."""
        return self._database.retries

    def alone(self, purpose: str) -> AbstractContextManager[bool]:
        """A block that one process at a time is in, of all replicas on a PostgreSQL database; False if another is."""
        return self._database.alone(purpose)

    def probe(self, *, write: bool) -> None:
        """StoreError if the database cannot be read; with `write`, if a little cannot be made durable either."""
        self._database.probe(write=write)

    def sweep(self) -> bool:
        """Let go of what was deleted and lies beside the database yet; False if others stand in the way just now."""
        return self._database.sweep()

    def check(self) -> list[str]:
        """What is wrong with the database, in words; nothing if it is sound."""
        return self._database.check()

    def close(self) -> None:
        """Close the database; closing again does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
