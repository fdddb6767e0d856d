"""What can go wrong for an auditor: the command cannot be carried out, or what was audited does not hold."""

from typing import ClassVar

from tpsi.errors import TpsiError, VerificationError


class AuditorError(TpsiError):
    """A file, a key or an option is not what the auditor needs; nothing is said about the server."""

    code: ClassVar[str] = "CANNOT_AUDIT"


class RefusedError(VerificationError):
    """What the server published does not hold. Nothing was signed."""

    code: ClassVar[str] = "AUDIT_REFUSED"
