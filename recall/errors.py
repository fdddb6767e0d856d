"""What stops a measurement."""

from tpsi.errors import TpsiError


class RecallError(TpsiError):
    """The measurement cannot be made; the message says what to change."""

    code = "RECALL"
