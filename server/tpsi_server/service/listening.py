"""How the service listens: its ports, and what each presents and asks of those who connect."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tpsi_server.errors import StoreError
from tpsi_server.store import Store
from tpsi_server.tls import ServerTls

#: What a server presents now; the same object for as long as nothing has changed.
Present = Callable[[], ServerTls]
_log = logging.getLogger(__name__)


class Presented:
    """Credentials of a server for one port, which follow what `present` says with every new connection.

    With a `store` the port is one for clients with certificates: of the development CA, and of whoever is registered.
    """

    def __init__(self, present: Present, store: Store | None = None) -> None:
        self._tls, self._present, self._store = present(), present, store
        self._lock = threading.Lock()
        self._anchors = self._trusted() if store is not None else None

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`."""
        fetch: Any = self._fetch
        return grpc.dynamic_ssl_server_credentials(self._configuration(), fetch, self._store is not None)

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC before each handshake, in its own thread."""
        with self._lock:
            before = self._tls, self._anchors
            self._tls = self._present()
            if self._store is not None:
                self._anchors = self._trusted()
            return None if (self._tls, self._anchors) == before else self._configuration()

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        pair = (self._tls.key.reveal(), self._tls.chain)
        return grpc.ssl_server_certificate_configuration([pair], self._anchors)

    def _trusted(self) -> bytes:
        """The certificates (PEM) that a client's has to go back to, or to be."""
        if self._store is None:
            return b""
        try:
            registered = self._store.certificates.anchors()
        except StoreError as error:
            _log.warning("registered certificates cannot be read: %s", error)
            return self._anchors or b""
        own = self._tls.client_authority
        return own + b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in registered)
