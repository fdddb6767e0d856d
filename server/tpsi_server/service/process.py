"""A serving process: from its settings to its exit, with the signals that stop it."""

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tpsi_server.config import ServeSettings
from tpsi_server.errors import OperatorError
from tpsi_server.files import write_atomically
from tpsi_server.runtime import Runtime
from tpsi_server.service.limits import DRAIN_GRACE
from tpsi_server.service.server import Service, check_free
from tpsi_server.tls import ServerTls
from tpsi_server.tls_source import TlsSource

#: Seconds that a thread which writes down matches may go on computing while an answer is ready to leave.
SWITCH_INTERVAL = 0.0005

_log = logging.getLogger(__name__)


async def serve(settings: ServeSettings) -> int:
    """Serve until a signal says to stop; 0. Raises TpsiError if serving cannot begin."""
    signals = _Signals()
    _allow_files()
    sys.setswitchinterval(SWITCH_INTERVAL)
    check_free(settings.host, settings.port)  # before the keys are opened, which takes a while
    source = None if settings.tls.disabled else TlsSource(settings.tls, settings.folder.tls, settings.host)
    tls = source.current if source is not None else None
    with Runtime(settings.folder, settings.passphrase, workers=settings.workers) as runtime:
        if settings.matching:
            runtime.start_matching()
        else:
            runtime.check_passphrase()
            _log.info("vouchers wait for `tpsi-server match`: nothing is matched here")
        service = Service(
            runtime,
            tls,
            settings.host,
            settings.port,
            certificate_port=settings.certificate_port,
            present=None if source is None else source.present,
            answer_after=settings.answer_after,
        )
        if source is not None:
            signals.on_hangup(source.reload)
        port = await service.start()
        end_metrics = _serve_metrics(settings, service)
        try:
            _announce(settings, runtime.identity.name, tls, port, service.certificate_port)
            await signals.first.wait()
        finally:
            _say("stopping: calls under way are brought to their end")
            await _stop(service, signals.second)
            end_metrics()
            if settings.port_file is not None:
                settings.port_file.unlink(missing_ok=True)
    _say("stopped")
    return 0


def _allow_files() -> None:
    """Let this process have as many files open, connections among them, as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _log.debug("at most %d files may be open (%d before)", hard, soft)


def _serve_metrics(settings: ServeSettings, service: Service) -> Callable[[], None]:
    """Serve metrics, if they are wanted; what ends that."""
    if settings.metrics is None:
        return lambda: None
    host, wanted = settings.metrics
    port, end = service.metrics.serve(host, wanted)
    _say(f"metrics are at http://{host}:{port}/metrics")
    return end


class _Signals:
    """The first signal asks to stop, the second one to hurry."""

    def __init__(self) -> None:
        self.first, self.second = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._came)

    def on_hangup(self, action: Callable[[], None]) -> None:
        """Do something, in a thread, whenever SIGHUP comes."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, action))

    def _came(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


async def _stop(service: Service, hurry: asyncio.Event) -> None:
    """Stop when all calls have ended, when the grace is over, or when somebody is in a hurry."""
    stopping, hurrying = asyncio.create_task(service.stop(DRAIN_GRACE)), asyncio.create_task(hurry.wait())
    await asyncio.wait((stopping, hurrying), return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        await service.stop(0)
    await stopping
    hurrying.cancel()


def _announce(
    settings: ServeSettings, list_name: str, tls: ServerTls | None, port: int, certificate_port: int | None
) -> None:
    """Say where the service is: to a person, and to a program through the port file."""
    _say(f"serving {list_name!r} on {settings.host}, port {port}, {_trust(tls)}")
    if certificate_port is not None:
        _say(f"clients with certificates connect to port {certificate_port}")
    if settings.port_file is not None:
        ports = [port] if certificate_port is None else [port, certificate_port]
        _write_ports(settings.port_file, ports)


def _trust(tls: ServerTls | None) -> str:
    if tls is None:
        return "WITHOUT TLS: anybody on the way reads tokens"
    if tls.authority is None:
        return f"with your certificate, good until {tls.not_after:%Y-%m-%d}"
    return f"with a certificate of the development CA {tls.authority}, good until {tls.not_after:%Y-%m-%d}"


def _write_ports(path: Path, ports: list[int]) -> None:
    try:
        write_atomically(path, "".join(f"{port}\n" for port in ports).encode())
    except OSError as error:
        raise OperatorError(f"the port file {path} cannot be written: {error.strerror}") from None


def _say(text: str) -> None:
    print(f"tpsi-server: {text}", flush=True)
