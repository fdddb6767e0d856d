"""The benchmark's errors: each ends it with one line."""

from tpsi.errors import TpsiError


class BenchError(TpsiError):
    """A measurement would be wrong, or cannot be made."""


class PeerUnavailableError(BenchError):
    """The peer could not be installed, started, or heard: the run says so and goes on without it."""
