"""What a running server presents: read again when its files change, when somebody asks, and before it expires.

A file that cannot be used leaves everything as it is, with a line in the log: a rotation that went wrong stops nobody.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tpsi.errors import TpsiError
from tpsi_server.config import TlsOptions
from tpsi_server.tls import CA_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY, ServerTls, server_tls

#: Seconds after which the certificate's time is looked at again, and between two looks at the files.
RENEWAL_PERIOD = 24 * 3600.0
LOOK_PERIOD = 1.0
#: An operator's certificate that ends within this time is announced in the log.
WARN_BEFORE = timedelta(days=14)

_Stamp = tuple[tuple[int, int, int] | None, ...]
_log = logging.getLogger(__name__)


class TlsSource:
    """What to present under some options, from now on and later. Thread-safe. TLS must not be disabled.

    `current` is what to present. Raises TlsError if there is nothing usable to begin with.
    """

    current: ServerTls
    _look_at: float
    _renew_at: float

    def __init__(
        self,
        options: TlsOptions,
        folder: Path,
        host: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options, self._folder, self._host, self._clock = options, folder, host, clock
        self._lock = threading.Lock()
        self._load()

    def present(self) -> ServerTls:
        """What to present now; looks at the files if it is time."""
        with self._lock:
            now = self._clock()
            if now >= self._renew_at or (now >= self._look_at and self._stamp() != self._loaded):
                self._reload()
            if now >= self._look_at:
                self._look_at = now + LOOK_PERIOD
            return self.current

    def reload(self) -> None:
        """Read the files again, now."""
        with self._lock:
            self._reload()

    def _reload(self) -> None:
        before = self.current
        try:
            self._load()
        except (TpsiError, OSError) as error:
            self._loaded = self._stamp()  # the same faulty files are complained of once
            _log.error("the certificate stays as it was: %s", error)
            return
        if self.current.chain == before.chain:
            self.current = before
        else:
            _log.info("a new certificate is presented, good until %s", f"{self.current.not_after:%Y-%m-%d}")

    def _load(self) -> None:
        made = server_tls(self._options, self._folder, self._host)
        if made is None:
            raise ValueError("there is nothing to present without TLS")
        self.current = made
        self._loaded = self._stamp()
        now = self._clock()
        self._renew_at, self._look_at = now + RENEWAL_PERIOD, now + LOOK_PERIOD
        if made.not_after - datetime.now(UTC) < WARN_BEFORE:
            _log.warning("the certificate expires on %s: renew it", f"{made.not_after:%Y-%m-%d}")

    def _stamp(self) -> _Stamp:
        """What tells one state of the files from another."""
        return tuple(map(_stat, self._files()))

    def _files(self) -> tuple[Path, ...]:
        if self._options.certificate is not None and self._options.private_key is not None:
            return self._options.certificate, self._options.private_key
        return tuple(self._folder / name for name in (CA_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
