"""Errors of the server, apart from those of its readers; the messages are for its operator."""

from typing import ClassVar

from tpsi.errors import TpsiError
from tpsi_server.reasons import Reason


class RefusedError(TpsiError):
    """A request cannot be served. `reason` may go to the caller; the message is for the operator.

    `retry_after`: seconds after which trying again helps, None for what the reason says.
    """

    code: ClassVar[str] = "REFUSED"

    def __init__(self, reason: Reason, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


class StoreError(TpsiError):
    """The database failed or cannot be used; nothing of the transaction at hand was stored."""

    code: ClassVar[str] = "STORE_UNAVAILABLE"


class DataError(TpsiError):
    """The data folder, or a file in it, is missing, damaged or not what it should be."""

    code: ClassVar[str] = "BAD_DATA"


class OperatorError(TpsiError):
    """The operator asked for something that cannot be done as things stand."""

    code: ClassVar[str] = "CANNOT_DO"


class KeyFileError(TpsiError):
    """A key file cannot be read, is damaged, or does not open with the passphrase."""

    code: ClassVar[str] = "KEY_FILE"


class PassphraseError(TpsiError):
    """There is no passphrase, or not a usable one."""

    code: ClassVar[str] = "PASSPHRASE"
