"""Reasons: why something was refused, by the stable names of the wire contract's enumeration."""

from enum import StrEnum, auto


class Reason(StrEnum):
    """The names of `tpsi.v1.Reason`, apart from its zero value."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    # who is calling
    TOKEN_MISSING = auto()
    TOKEN_UNKNOWN = auto()
    TOKEN_EXPIRED = auto()
    TOKEN_REVOKED = auto()
    ROLE_FORBIDDEN = auto()
    CERTIFICATE_UNKNOWN = auto()
    CERTIFICATE_EXPIRED = auto()
    CERTIFICATE_REVOKED = auto()
    CREDENTIALS_CONFLICT = auto()
    # tables
    NO_TABLE = auto()
    MANIFEST_UNKNOWN = auto()
    EPOCH_RETIRED = auto()
    OFFSET_OUT_OF_RANGE = auto()
    CANARY_NONE = auto()
    TABLE_NOT_HERE = auto()
    # vouchers
    VOUCHER_MALFORMED = auto()
    VOUCHER_ID_REUSED = auto()
    VOUCHER_WRONG_EPOCH = auto()
    BATCH_TOO_LARGE = auto()
    BATCH_EMPTY = auto()
    # too much
    RATE_LIMITED = auto()
    QUOTA_EXCEEDED = auto()
    OVERLOADED = auto()
    TOO_MANY_CALLS = auto()
    CALL_STALLED = auto()
    # operator
    ACCOUNT_UNKNOWN = auto()
    # the log
    LOG_ENTRY_UNKNOWN = auto()
    LOG_OUT_OF_RANGE = auto()
    LOG_UNSIGNED = auto()
    # the server's own state
    INVALID_REQUEST = auto()
    STORE_UNAVAILABLE = auto()
    SHUTTING_DOWN = auto()
    INTERNAL_ERROR = auto()
