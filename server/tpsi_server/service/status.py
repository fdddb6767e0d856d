"""Refusals on the wire: a gRPC status with a stable reason and a fixed text, never an internal message."""

import logging
import secrets
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from tpsi_server.errors import RefusedError, StoreError
from tpsi_server.ingest import MAX_BATCH
from tpsi_server.reasons import Reason
from tpsi_server.service.limits import MAX_BATCH_BYTES

DOMAIN = "tpsi.v1"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Code = grpc.StatusCode
_MOST = f"{MAX_BATCH} vouchers and {MAX_BATCH_BYTES >> 20} MiB"
_log = logging.getLogger(__name__)

#: For every reason its status code and the text that a peer is told.
ANSWERS: dict[Reason, tuple[_Code, str]] = {
    Reason.TOKEN_MISSING: (_Code.UNAUTHENTICATED, "the call carries no `authorization: Bearer TOKEN`"),
    Reason.TOKEN_UNKNOWN: (_Code.UNAUTHENTICATED, "the token is not one of this server"),
    Reason.TOKEN_EXPIRED: (_Code.UNAUTHENTICATED, "the token has expired"),
    Reason.TOKEN_REVOKED: (_Code.UNAUTHENTICATED, "the token was revoked"),
    Reason.ROLE_FORBIDDEN: (_Code.PERMISSION_DENIED, "the token or certificate is not for this call"),
    Reason.CERTIFICATE_UNKNOWN: (_Code.UNAUTHENTICATED, "the certificate is not one that this server knows"),
    Reason.CERTIFICATE_EXPIRED: (_Code.UNAUTHENTICATED, "the certificate has expired"),
    Reason.CERTIFICATE_REVOKED: (_Code.UNAUTHENTICATED, "the certificate was revoked"),
    Reason.CREDENTIALS_CONFLICT: (_Code.UNAUTHENTICATED, "token and certificate do not stand for the same caller"),
    Reason.NO_TABLE: (_Code.NOT_FOUND, "there is no table to use yet"),
    Reason.MANIFEST_UNKNOWN: (_Code.NOT_FOUND, "there is no such epoch or manifest"),
    Reason.EPOCH_RETIRED: (_Code.FAILED_PRECONDITION, "this epoch is retired: fetch the newest manifest"),
    Reason.OFFSET_OUT_OF_RANGE: (_Code.OUT_OF_RANGE, "the offset is beyond the end of the table"),
    Reason.CANARY_NONE: (_Code.NOT_FOUND, "this epoch has no canary picture"),
    Reason.TABLE_NOT_HERE: (_Code.UNAVAILABLE, "this server does not have the newest table yet: try again later"),
    Reason.VOUCHER_MALFORMED: (_Code.INVALID_ARGUMENT, "the voucher is malformed"),
    Reason.VOUCHER_ID_REUSED: (_Code.INVALID_ARGUMENT, "another voucher has this id"),
    Reason.VOUCHER_WRONG_EPOCH: (_Code.INVALID_ARGUMENT, "vouchers of this epoch are not taken"),
    Reason.BATCH_TOO_LARGE: (
        _Code.INVALID_ARGUMENT,
        f"a batch has at most {_MOST}",
    ),
    Reason.BATCH_EMPTY: (_Code.INVALID_ARGUMENT, "a batch has at least one voucher"),
    Reason.RATE_LIMITED: (_Code.RESOURCE_EXHAUSTED, "the account sends vouchers faster than it may"),
    Reason.QUOTA_EXCEEDED: (_Code.RESOURCE_EXHAUSTED, "the account has sent as much as it may"),
    Reason.OVERLOADED: (_Code.RESOURCE_EXHAUSTED, "the server has as much to do as it can hold"),
    Reason.TOO_MANY_CALLS: (_Code.RESOURCE_EXHAUSTED, "the caller has as many calls under way as it may"),
    Reason.CALL_STALLED: (_Code.DEADLINE_EXCEEDED, "nothing came, or nothing was read, for too long"),
    Reason.ACCOUNT_UNKNOWN: (_Code.NOT_FOUND, "there is no account of this name"),
    Reason.LOG_ENTRY_UNKNOWN: (_Code.NOT_FOUND, "this entry is not in the log"),
    Reason.LOG_OUT_OF_RANGE: (_Code.OUT_OF_RANGE, "the log has fewer entries"),
    Reason.LOG_UNSIGNED: (_Code.UNAVAILABLE, "the server cannot sign its log at the moment: try again later"),
    Reason.INVALID_REQUEST: (_Code.INVALID_ARGUMENT, "the request has no meaning"),
    Reason.STORE_UNAVAILABLE: (_Code.UNAVAILABLE, "the store does not answer: try again later"),
    Reason.SHUTTING_DOWN: (_Code.UNAVAILABLE, "the server is stopping: try again later"),
    Reason.INTERNAL_ERROR: (_Code.INTERNAL, "the server failed"),
}
#: Seconds to wait before trying again, where that helps.
RETRY_AFTER: dict[Reason, int] = {
    Reason.STORE_UNAVAILABLE: 5,
    Reason.SHUTTING_DOWN: 5,
    Reason.RATE_LIMITED: 5,
    Reason.QUOTA_EXCEEDED: 3600,
    Reason.OVERLOADED: 5,
    Reason.TOO_MANY_CALLS: 5,
    Reason.CALL_STALLED: 5,
    Reason.LOG_UNSIGNED: 5,
    Reason.TABLE_NOT_HERE: 5,
}


async def refuse(
    context: Context, reason: Reason, *, code: _Code | None = None, text: str = "", retry_after: float | None = None
) -> NoReturn:
    """End a call with a reason; `code`, `text` and `retry_after` (seconds) in place of the reason's own."""
    own_code, own_text = ANSWERS[reason]
    status = rpc_status.to_status(rich_status(reason, code or own_code, text or own_text, retry_after))
    await context.abort(status.code, status.details, status.trailing_metadata)


async def fail(context: Context, method: str, error: Exception) -> NoReturn:
    """End a call that raised: with the reason of a refusal, or with INTERNAL_ERROR and an entry in the log.

    The text of the error goes to the log alone.
    """
    if isinstance(error, RefusedError):
        _log.debug("%s refused: %s: %s", method, error.reason, error)
        await refuse(context, error.reason, retry_after=error.retry_after)
    if isinstance(error, StoreError):
        _log.warning("%s failed: %s", method, error)
        await refuse(context, Reason.STORE_UNAVAILABLE)
    incident = secrets.token_hex(6)
    _log.error("incident %s in %s", incident, method, exc_info=error)
    await refuse(context, Reason.INTERNAL_ERROR, text=f"{ANSWERS[Reason.INTERNAL_ERROR][1]}: incident {incident}")


def rich_status(reason: Reason, code: _Code, text: str, retry_after: float | None = None) -> status_pb2.Status:
    """The status with its details."""
    details = [_packed(error_details_pb2.ErrorInfo(domain=DOMAIN, reason=reason.value))]
    if seconds := RETRY_AFTER.get(reason) if retry_after is None else retry_after:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(max(1, round(1000 * seconds)))
        details.append(_packed(retry))
    return status_pb2.Status(code=code.value[0], message=text, details=details)


def _packed(message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
