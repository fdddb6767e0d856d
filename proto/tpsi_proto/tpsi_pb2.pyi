from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    TOKEN_MISSING: _ClassVar[Reason]
    TOKEN_UNKNOWN: _ClassVar[Reason]
    TOKEN_EXPIRED: _ClassVar[Reason]
    TOKEN_REVOKED: _ClassVar[Reason]
    ROLE_FORBIDDEN: _ClassVar[Reason]
    CERTIFICATE_UNKNOWN: _ClassVar[Reason]
    CERTIFICATE_EXPIRED: _ClassVar[Reason]
    CERTIFICATE_REVOKED: _ClassVar[Reason]
    CREDENTIALS_CONFLICT: _ClassVar[Reason]
    NO_TABLE: _ClassVar[Reason]
    MANIFEST_UNKNOWN: _ClassVar[Reason]
    EPOCH_RETIRED: _ClassVar[Reason]
    OFFSET_OUT_OF_RANGE: _ClassVar[Reason]
    CANARY_NONE: _ClassVar[Reason]
    TABLE_NOT_HERE: _ClassVar[Reason]
    VOUCHER_MALFORMED: _ClassVar[Reason]
    VOUCHER_ID_REUSED: _ClassVar[Reason]
    VOUCHER_WRONG_EPOCH: _ClassVar[Reason]
    BATCH_TOO_LARGE: _ClassVar[Reason]
    BATCH_EMPTY: _ClassVar[Reason]
    RATE_LIMITED: _ClassVar[Reason]
    QUOTA_EXCEEDED: _ClassVar[Reason]
    OVERLOADED: _ClassVar[Reason]
    TOO_MANY_CALLS: _ClassVar[Reason]
    CALL_STALLED: _ClassVar[Reason]
    ACCOUNT_UNKNOWN: _ClassVar[Reason]
    LOG_ENTRY_UNKNOWN: _ClassVar[Reason]
    LOG_OUT_OF_RANGE: _ClassVar[Reason]
    LOG_UNSIGNED: _ClassVar[Reason]
    INVALID_REQUEST: _ClassVar[Reason]
    STORE_UNAVAILABLE: _ClassVar[Reason]
    SHUTTING_DOWN: _ClassVar[Reason]
    INTERNAL_ERROR: _ClassVar[Reason]

class Comparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARISON_UNSPECIFIED: _ClassVar[Comparison]
    COMPARISON_CONFIRMED: _ClassVar[Comparison]
    COMPARISON_HELD_BACK: _ClassVar[Comparison]
    COMPARISON_UNKNOWN: _ClassVar[Comparison]
REASON_UNSPECIFIED: Reason
TOKEN_MISSING: Reason
TOKEN_UNKNOWN: Reason
TOKEN_EXPIRED: Reason
TOKEN_REVOKED: Reason
ROLE_FORBIDDEN: Reason
CERTIFICATE_UNKNOWN: Reason
CERTIFICATE_EXPIRED: Reason
CERTIFICATE_REVOKED: Reason
CREDENTIALS_CONFLICT: Reason
NO_TABLE: Reason
MANIFEST_UNKNOWN: Reason
EPOCH_RETIRED: Reason
OFFSET_OUT_OF_RANGE: Reason
CANARY_NONE: Reason
TABLE_NOT_HERE: Reason
VOUCHER_MALFORMED: Reason
VOUCHER_ID_REUSED: Reason
VOUCHER_WRONG_EPOCH: Reason
BATCH_TOO_LARGE: Reason
BATCH_EMPTY: Reason
RATE_LIMITED: Reason
QUOTA_EXCEEDED: Reason
OVERLOADED: Reason
TOO_MANY_CALLS: Reason
CALL_STALLED: Reason
ACCOUNT_UNKNOWN: Reason
LOG_ENTRY_UNKNOWN: Reason
LOG_OUT_OF_RANGE: Reason
LOG_UNSIGNED: Reason
INVALID_REQUEST: Reason
STORE_UNAVAILABLE: Reason
SHUTTING_DOWN: Reason
INTERNAL_ERROR: Reason
COMPARISON_UNSPECIFIED: Comparison
COMPARISON_CONFIRMED: Comparison
COMPARISON_HELD_BACK: Comparison
COMPARISON_UNKNOWN: Comparison

class GetManifestRequest(_message.Message):
    __slots__ = ("epoch",)
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    def __init__(self, epoch: _Optional[int] = ...) -> None: ...

class GetManifestResponse(_message.Message):
    __slots__ = ("signed_manifest",)
    SIGNED_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    signed_manifest: bytes
    def __init__(self, signed_manifest: _Optional[bytes] = ...) -> None: ...

class GetTableDigestsRequest(_message.Message):
    __slots__ = ("manifest_digest",)
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    manifest_digest: bytes
    def __init__(self, manifest_digest: _Optional[bytes] = ...) -> None: ...

class GetTableDigestsResponse(_message.Message):
    __slots__ = ("leaves",)
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    leaves: bytes
    def __init__(self, leaves: _Optional[bytes] = ...) -> None: ...

class DownloadTableRequest(_message.Message):
    __slots__ = ("manifest_digest", "offset")
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    manifest_digest: bytes
    offset: int
    def __init__(self, manifest_digest: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...

class TablePiece(_message.Message):
    __slots__ = ("offset", "data")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    offset: int
    data: bytes
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class GetCanaryRequest(_message.Message):
    __slots__ = ("manifest_digest",)
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    manifest_digest: bytes
    def __init__(self, manifest_digest: _Optional[bytes] = ...) -> None: ...

class GetCanaryResponse(_message.Message):
    __slots__ = ("name", "picture")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    picture: bytes
    def __init__(self, name: _Optional[str] = ..., picture: _Optional[bytes] = ...) -> None: ...

class WhoAmIRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIResponse(_message.Message):
    __slots__ = ("account", "list_name")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LIST_NAME_FIELD_NUMBER: _ClassVar[int]
    account: str
    list_name: str
    def __init__(self, account: _Optional[str] = ..., list_name: _Optional[str] = ...) -> None: ...

class UploadBatch(_message.Message):
    __slots__ = ("sequence", "vouchers")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VOUCHERS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    vouchers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, sequence: _Optional[int] = ..., vouchers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class BatchAck(_message.Message):
    __slots__ = ("sequence", "stored", "refused")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    stored: int
    refused: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, sequence: _Optional[int] = ..., stored: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("index", "reason")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    index: int
    reason: Reason
    def __init__(self, index: _Optional[int] = ..., reason: _Optional[_Union[Reason, str]] = ...) -> None: ...

class GetCheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint",)
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: bytes
    def __init__(self, checkpoint: _Optional[bytes] = ...) -> None: ...

class GetInclusionProofRequest(_message.Message):
    __slots__ = ("leaf_digest", "tree_size")
    LEAF_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    leaf_digest: bytes
    tree_size: int
    def __init__(self, leaf_digest: _Optional[bytes] = ..., tree_size: _Optional[int] = ...) -> None: ...

class GetInclusionProofResponse(_message.Message):
    __slots__ = ("index", "path")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    index: int
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, index: _Optional[int] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("first_size", "second_size")
    FIRST_SIZE_FIELD_NUMBER: _ClassVar[int]
    SECOND_SIZE_FIELD_NUMBER: _ClassVar[int]
    first_size: int
    second_size: int
    def __init__(self, first_size: _Optional[int] = ..., second_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetEntriesRequest(_message.Message):
    __slots__ = ("start", "count")
    START_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    start: int
    count: int
    def __init__(self, start: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class GetEntriesResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, entries: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetNoticesRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class GetNoticesResponse(_message.Message):
    __slots__ = ("notices",)
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[RevealNotice]
    def __init__(self, notices: _Optional[_Iterable[_Union[RevealNotice, _Mapping]]] = ...) -> None: ...

class RevealNotice(_message.Message):
    __slots__ = ("index", "opening", "notice", "position", "batch_size", "path")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    index: int
    opening: bytes
    notice: bytes
    position: int
    batch_size: int
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, index: _Optional[int] = ..., opening: _Optional[bytes] = ..., notice: _Optional[bytes] = ..., position: _Optional[int] = ..., batch_size: _Optional[int] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("list_name", "epochs", "accounts", "vouchers_received", "vouchers_waiting", "accounts_revealed")
    LIST_NAME_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    VOUCHERS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    VOUCHERS_WAITING_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_REVEALED_FIELD_NUMBER: _ClassVar[int]
    list_name: str
    epochs: _containers.RepeatedCompositeFieldContainer[Epoch]
    accounts: int
    vouchers_received: int
    vouchers_waiting: int
    accounts_revealed: int
    def __init__(self, list_name: _Optional[str] = ..., epochs: _Optional[_Iterable[_Union[Epoch, _Mapping]]] = ..., accounts: _Optional[int] = ..., vouchers_received: _Optional[int] = ..., vouchers_waiting: _Optional[int] = ..., accounts_revealed: _Optional[int] = ...) -> None: ...

class Epoch(_message.Message):
    __slots__ = ("number", "manifest_digest", "items", "suite", "encoding", "retired", "created")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    RETIRED_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    number: int
    manifest_digest: bytes
    items: int
    suite: str
    encoding: str
    retired: bool
    created: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., manifest_digest: _Optional[bytes] = ..., items: _Optional[int] = ..., suite: _Optional[str] = ..., encoding: _Optional[str] = ..., retired: bool = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts", "next_page_token")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[Account]
    next_page_token: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[Account, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("name", "vouchers", "opened", "revealed", "flagged", "revoked", "last_upload", "held_back", "not_compared")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VOUCHERS_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    REVEALED_FIELD_NUMBER: _ClassVar[int]
    FLAGGED_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    LAST_UPLOAD_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_FIELD_NUMBER: _ClassVar[int]
    NOT_COMPARED_FIELD_NUMBER: _ClassVar[int]
    name: str
    vouchers: int
    opened: int
    revealed: int
    flagged: bool
    revoked: bool
    last_upload: _timestamp_pb2.Timestamp
    held_back: int
    not_compared: int
    def __init__(self, name: _Optional[str] = ..., vouchers: _Optional[int] = ..., opened: _Optional[int] = ..., revealed: _Optional[int] = ..., flagged: bool = ..., revoked: bool = ..., last_upload: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., held_back: _Optional[int] = ..., not_compared: _Optional[int] = ...) -> None: ...

class GetRevealRequest(_message.Message):
    __slots__ = ("account", "held_back")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_FIELD_NUMBER: _ClassVar[int]
    account: str
    held_back: bool
    def __init__(self, account: _Optional[str] = ..., held_back: bool = ...) -> None: ...

class RevealedItem(_message.Message):
    __slots__ = ("voucher_id", "associated_data", "received", "epoch", "comparison", "distance")
    VOUCHER_ID_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATED_DATA_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    voucher_id: bytes
    associated_data: bytes
    received: _timestamp_pb2.Timestamp
    epoch: int
    comparison: Comparison
    distance: int
    def __init__(self, voucher_id: _Optional[bytes] = ..., associated_data: _Optional[bytes] = ..., received: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., epoch: _Optional[int] = ..., comparison: _Optional[_Union[Comparison, str]] = ..., distance: _Optional[int] = ...) -> None: ...
