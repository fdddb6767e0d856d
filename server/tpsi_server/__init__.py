"""The server of tpsi: lists, tables, vouchers, matching and reveals."""

from tpsi_server.accounts import Accounts, Identity, IssuedToken, Role
from tpsi_server.config import DataFolder, ServerIdentity, ServeSettings, TlsOptions
from tpsi_server.errors import (
    DataError,
    KeyFileError,
    OperatorError,
    PassphraseError,
    RefusedError,
    StoreError,
)
from tpsi_server.ingest import MAX_BATCH, Ingest, Outcome
from tpsi_server.reasons import Reason
from tpsi_server.runtime import Runtime, Status
from tpsi_server.store import Store
from tpsi_server.tables import Epoch, TableRepository

__all__ = [
    "MAX_BATCH",
    "Accounts",
    "DataError",
    "DataFolder",
    "Epoch",
    "Identity",
    "Ingest",
    "IssuedToken",
    "KeyFileError",
    "OperatorError",
    "Outcome",
    "PassphraseError",
    "Reason",
    "RefusedError",
    "Role",
    "Runtime",
    "ServeSettings",
    "ServerIdentity",
    "Status",
    "Store",
    "StoreError",
    "TableRepository",
    "TlsOptions",
]
