"""What can go wrong on a device: each class says whose turn it is, each message what to do."""

from pathlib import Path
from typing import ClassVar

from tpsi.errors import TpsiError, VerificationError
from tpsi.log import Fork


class HomeError(TpsiError):
    """The device's folder is missing something, or holds something damaged or foreign."""

    code = "HOME_UNUSABLE"


class NotEnrolledError(HomeError):
    """There is no device in this folder yet."""

    code = "NOT_ENROLLED"


class LockedError(HomeError):
    """Another process is using the device's folder."""

    code = "HOME_IN_USE"


class DiskError(TpsiError):
    """The disk is full or can't be written; what was stored before stays as it was."""

    code = "DISK_UNUSABLE"


class EnrolmentError(TpsiError):
    """An enrolment file, or an account secret, is not what this device can use."""

    code = "ENROLMENT_UNUSABLE"


class SelfCheckError(VerificationError):
    """This device computes other hashes than the list holds, so that nothing would ever match."""

    code = "SELF_CHECK_FAILED"


class ForkError(VerificationError):
    """The server showed two histories. `fork` is the evidence; `path` where it is kept, once it is."""

    code: ClassVar[str] = "SERVER_FORKED"

    def __init__(self, message: str, fork: Fork, path: Path | None = None) -> None:
        super().__init__(message)
        self.fork, self.path = fork, path


class ServiceError(TpsiError):
    """The server refused, failed or broke off a call.

    `reason`: the name of the contract's Reason, or empty; `passing`: whether the same call may succeed later;
    `retry_after`: seconds that the server asks to wait, or 0.
    """

    code: ClassVar[str] = "SERVICE_FAILED"

    def __init__(self, message: str, *, reason: str = "", passing: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.reason, self.passing, self.retry_after = reason, passing, retry_after


class UnreachableError(ServiceError):
    """No connection to the server."""

    code = "SERVER_UNREACHABLE"


class IdentityError(ServiceError):
    """Somebody answers, but is not the server that the device was enrolled with."""

    code = "SERVER_NOT_AUTHENTIC"
