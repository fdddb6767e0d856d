"""From the status of a failed call to an error that says what is wrong and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode
from grpc.aio import AioRpcError

from tpsi_client.errors import ServiceError

DOMAIN = "tpsi.v1"
_DETAILS_KEY = "grpc-status-details-bin"
#: What gRPC says itself if a call ended while it was writing: the server's own status is lost then.
_LOST = "Internal error from Core"
#: A server's own text is shown only where nothing better is known, and then cut to this length.
MAX_SHOWN = 200

_ENROL_AGAIN = "ask the operator for a new enrolment file, then run: tpsi-device enrol FILE"

#: What the contract's reasons mean for the person at the device.
_SENTENCES = {
    "TOKEN_MISSING": f"the server saw no access token; {_ENROL_AGAIN}",
    "TOKEN_UNKNOWN": f"the server does not know this device's access token; {_ENROL_AGAIN}",
    "TOKEN_EXPIRED": f"this device's access token has expired; {_ENROL_AGAIN}",
    "TOKEN_REVOKED": f"the operator has revoked this device's access token; {_ENROL_AGAIN}",
    "ROLE_FORBIDDEN": f"this access token is not one for devices; {_ENROL_AGAIN}",
    "CERTIFICATE_UNKNOWN": f"the server does not know this device's certificate; {_ENROL_AGAIN}",
    "CERTIFICATE_EXPIRED": f"this device's certificate has expired; {_ENROL_AGAIN}",
    "CERTIFICATE_REVOKED": f"the operator has revoked this device's certificate; {_ENROL_AGAIN}",
    "CREDENTIALS_CONFLICT": f"this device's token and certificate belong to different accounts; {_ENROL_AGAIN}",
    "NO_TABLE": "the operator has not built a table yet; try again later",
    "MANIFEST_UNKNOWN": "the server does not know this epoch of the list; run: tpsi-device fetch",
    "EPOCH_RETIRED": "this epoch of the list is retired; run: tpsi-device fetch",
    "OFFSET_OUT_OF_RANGE": "the server's table ends before the offset asked for; run: tpsi-device fetch",
    "CANARY_NONE": "the server lacks the canary picture that its manifest announces; tell the operator",
    "TABLE_NOT_HERE": "this one of the operator's servers does not have the newest table yet; try again later",
    "LOG_ENTRY_UNKNOWN": "the server's log lacks what it has to hold; tell the operator, and whoever audits the list",
    "LOG_OUT_OF_RANGE": "the server's log has fewer entries than it said; try again later",
    "LOG_UNSIGNED": "the server can't sign its log at the moment; try again later",
    "STORE_UNAVAILABLE": "the server can't store anything at the moment; try again later",
    "SHUTTING_DOWN": "the server is being shut down; try again later",
    "INTERNAL_ERROR": "the server failed; try again later, and tell the operator if it stays so",
    "RATE_LIMITED": "this account sends faster than the server takes from it; try again later",
    "QUOTA_EXCEEDED": "this account has sent as much as the operator allows; try again later, or ask the operator",
    "OVERLOADED": "the server has too much to do at the moment; try again later",
    "TOO_MANY_CALLS": "this account has too many uploads under way at the same time; try again when they are done",
    "CALL_STALLED": "the upload stood still for too long, and the server ended it; try again",
    "BATCH_TOO_LARGE": "the server takes smaller batches than this program sends; is one of them outdated?",
}
_PASSING_REASONS = frozenset(
    {"TABLE_NOT_HERE", "LOG_OUT_OF_RANGE", "LOG_UNSIGNED", "STORE_UNAVAILABLE", "SHUTTING_DOWN", "INTERNAL_ERROR"}
)
_PASSING_CODES = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.ABORTED,
        StatusCode.UNKNOWN,
        StatusCode.INTERNAL,
    }
)


@dataclass(frozen=True, slots=True)
class Details:
    """What a rich status carries: a stable reason, and how many seconds to wait; empty and 0 if it says nothing."""

    reason: str = ""
    retry_after: float = 0.0


def service_error(error: AioRpcError) -> ServiceError:
    """The error to raise for a call that ended with this status."""
    details = _details(error.trailing_metadata() or ())
    code = error.code()
    sentence = _SENTENCES.get(details.reason) or _unexplained(code, str(error.details() or ""))
    passing = details.reason in _PASSING_REASONS if details.reason else code in _PASSING_CODES
    passing = passing or code is StatusCode.RESOURCE_EXHAUSTED or bool(details.retry_after)
    return ServiceError(sentence, reason=details.reason, passing=passing, retry_after=details.retry_after)


def _unexplained(code: StatusCode, text: str) -> str:
    if code is StatusCode.DEADLINE_EXCEEDED:
        return "the server did not answer in time; try again later"
    if code is StatusCode.RESOURCE_EXHAUSTED:
        return "the server has too much to do, or this account has used up its share; try again later"
    if code is StatusCode.INTERNAL and text == _LOST:
        return "the call broke off before the server's answer arrived; try again later"
    if code is StatusCode.UNIMPLEMENTED:
        return "the server does not know this call; is one of the two programs outdated?"
    shown = "".join(character if character.isprintable() else " " for character in text)[:MAX_SHOWN]
    return f"the server refused the call ({code.name}: {shown})"


def _details(metadata: Iterable[Any]) -> Details:
    """Read the google.rpc.Status in the trailing metadata; one that can't be read counts as absent."""
    raw = next((value for key, value in metadata if key == _DETAILS_KEY), None)
    if not isinstance(raw, bytes):
        return Details()
    reason, retry_after = "", 0.0
    try:
        for detail in status_pb2.Status.FromString(raw).details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info) and info.domain == DOMAIN:
                reason = info.reason
            elif detail.Unpack(retry):
                retry_after = max(0.0, retry.retry_delay.ToTimedelta().total_seconds())
    except (ProtobufDecodeError, ValueError, OverflowError):
        return Details()
    return Details(reason, retry_after)
