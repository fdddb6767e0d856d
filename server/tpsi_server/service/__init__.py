"""The gRPC service: the wire contract on top of the runtime.

Importing this package does not import gRPC: what gRPC reads from the environment has to be there before.
"""

import logging
import os

from tpsi_server.config import ServeSettings
from tpsi_server.tls import CIPHERS_VARIABLE, demand_tls_1_3

__all__ = ["run"]

_log = logging.getLogger(__name__)


async def run(settings: ServeSettings) -> int:
    """Serve until a signal says to stop; the exit status. Raises TpsiError if serving cannot begin."""
    if not demand_tls_1_3():
        _log.warning("TLS 1.2 is taken too: %s is set, or gRPC was imported before", CIPHERS_VARIABLE)
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # peers that fail a handshake would fill the log
    from tpsi_server.service.process import serve

    return await serve(settings)
