"""Errors: one base class, and subclasses that say whose fault it is, each with a stable code.

A code is what crosses a process boundary; a message is for the person who reads the log of the
process that raised it. "No match" and "below the threshold" are results, never errors.
"""

from typing import ClassVar


class TpsiError(Exception):
    """Base of every error that this project raises on purpose."""

    code: ClassVar[str] = "TPSI_ERROR"


class CallerError(TpsiError, ValueError):
    """The calling code passed something that it could have known to be wrong."""

    code = "INVALID_ARGUMENT"


class DecodeError(TpsiError, ValueError):
    """Bytes from outside are not in the form that the specification gives."""

    code = "MALFORMED"


class ElementError(DecodeError):
    """Bytes that should be a non-identity group element in canonical encoding are not."""

    code = "INVALID_ELEMENT"


class VerificationError(TpsiError):
    """Well-formed data from a peer fails a check: a signature, a digest, a parameter rule."""

    code = "VERIFICATION_FAILED"


class BuildError(TpsiError):
    """A table could not be built that holds every hash; nothing was dropped, nothing was made."""

    code = "TABLE_NOT_BUILT"
