"""The gRPC server: the services of the contract behind the gate, with health and reflection."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tpsi_proto import tpsi_pb2, tpsi_pb2_grpc
from tpsi_server.config import ANSWER_AFTER
from tpsi_server.errors import OperatorError
from tpsi_server.runtime import Runtime
from tpsi_server.service import limits
from tpsi_server.service.auth import Directory
from tpsi_server.service.drain import Drain
from tpsi_server.service.gate import Gate
from tpsi_server.service.listening import Present, Presented
from tpsi_server.service.log import LogServicer
from tpsi_server.service.metrics import Metrics
from tpsi_server.service.operator import OperatorServicer
from tpsi_server.service.pulse import Pulse
from tpsi_server.service.tables import TableServicer
from tpsi_server.service.vigil import Vigil
from tpsi_server.service.vouchers import VoucherServicer
from tpsi_server.tls import ServerTls

SERVICES = tuple(service.full_name for service in tpsi_pb2.DESCRIPTOR.services_by_name.values())
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a port that is in use is an error
    ("grpc.compression_enabled_algorithms_bitset", 1),  # none: a small message must not become a large one
    ("grpc.http2.bdp_probe", 0),  # windows that grow with the speed of a peer are memory that it decides on
    ("grpc.max_receive_message_length", limits.MAX_MESSAGE),
    ("grpc.max_metadata_size", limits.MAX_METADATA),
    ("grpc.max_concurrent_streams", limits.MAX_CALLS_A_CONNECTION),
    ("grpc.server_handshake_timeout_ms", limits.HANDSHAKE_TIMEOUT),
    ("grpc.keepalive_time_ms", limits.KEEPALIVE_TIME),
    ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", limits.LEAST_PING_INTERVAL),
    ("grpc.max_connection_idle_ms", limits.IDLE_TIMEOUT),
)


class Service:
    """A runtime on the network. `tls` None is plaintext. For one event loop; start it once, stop it once.

    `certificate_port`: a second port, for clients that show certificates; None for no such port. `present` tells what
    to present from now on, by default `tls`. `answer_after`: see `ServeSettings`.
    After `start`, `certificate_port` is the port that was taken.
    """

    certificate_port: int | None

    def __init__(
        self,
        runtime: Runtime,
        tls: ServerTls | None,
        host: str,
        port: int = 0,
        *,
        certificate_port: int | None = None,
        present: Present | None = None,
        with_reflection: bool = True,
        answer_after: float = ANSWER_AFTER,
    ) -> None:
        self.metrics = Metrics()
        self._drain = Drain()
        self._pulse = Pulse(runtime.store, runtime.ingest, self._show_health)
        self._vigil = Vigil(runtime.store)
        self._store = runtime.store
        self._present = present
        self.certificate_port = certificate_port
        directory = Directory(runtime.accounts, runtime.certificates)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._server = grpc.aio.server(
            interceptors=(Gate(directory, self._drain, self._vigil, self.metrics),),
            options=_OPTIONS,
            maximum_concurrent_rpcs=limits.MAX_CALLS,
        )
        self.vouchers = VoucherServicer(
            runtime.ingest,
            runtime.store,
            runtime.identity.name,
            self._drain,
            self.metrics,
            answer_after=answer_after,
        )
        contract: Any = tpsi_pb2_grpc
        contract.add_TableServiceServicer_to_server(TableServicer(runtime.tables), self._server)
        contract.add_VoucherServiceServicer_to_server(self.vouchers, self._server)
        contract.add_LogServiceServicer_to_server(LogServicer(runtime.log), self._server)
        contract.add_OperatorServiceServicer_to_server(OperatorServicer(runtime), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if with_reflection:
            reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self._tls = tls
        self._host = host
        self._port = port
        self.metrics.watch(runtime, self._gauges(runtime))

    async def start(self) -> int:
        """Listen; the port. OperatorError if that is not possible, which says why."""
        self._port = self._listen(self._port, for_certificates=False)
        if self.certificate_port is not None:
            self.certificate_port = self._listen(self.certificate_port, for_certificates=True)
        await self._show_health(True)
        await self._server.start()
        self._watching = [asyncio.create_task(one.run()) for one in (self._vigil, self._pulse)]
        return self._port

    async def stop(self, grace: float = limits.DRAIN_GRACE) -> None:
        """Tell the world and the calls under way, wait for these at most `grace` seconds, and stop."""
        await self._health.enter_graceful_shutdown()
        self._drain.begin()
        await self._server.stop(grace)
        for task in self._watching:
            task.cancel()

    async def _show_health(self, works: bool) -> None:
        status = health_pb2.HealthCheckResponse
        for name in ("", *SERVICES):
            await self._health.set(name, status.SERVING if works else status.NOT_SERVING)

    def _gauges(self, runtime: Runtime) -> list[tuple[str, str, Callable[[], float]]]:
        return [
            ("tpsi_uploads", "Uploads that are under way.", lambda: len(self.vouchers.uploads)),
            (
                "tpsi_held_octets",
                "Octets of batches that are held until they are stored.",
                lambda: self.vouchers.budget.held,
            ),
            ("tpsi_ingest_queue", "Batches that wait to be stored.", lambda: runtime.ingest.waiting),
            ("tpsi_store_works", "Whether the store can be used.", lambda: self._pulse.works),
            ("tpsi_certificate_expires_seconds", "When the server's certificate expires.", self._expires),
        ]

    def _expires(self) -> float:
        if self._tls is None:
            return 0.0
        return (self._present() if self._present is not None else self._tls).not_after.timestamp()

    def _listen(self, port: int, *, for_certificates: bool) -> int:
        check_free(self._host, port)
        try:
            return self._bind(f"{_bracketed(self._host)}:{port}", for_certificates=for_certificates)
        except RuntimeError:
            raise OperatorError(f"cannot listen on {self._host}, port {port}: see the server's log") from None

    def _bind(self, address: str, *, for_certificates: bool) -> int:
        tls = self._tls
        if tls is None:
            return self._server.add_insecure_port(address)
        presented = Presented(self._present or (lambda: tls), self._store if for_certificates else None)
        return self._server.add_secure_port(address, presented.credentials())


def check_free(host: str, port: int) -> None:
    """OperatorError, saying why, if a server could not listen there. gRPC itself does not tell."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise OperatorError(f"there is no address for {host!r}: give the host as this machine knows itself") from None
    errors = [error for one in found if (error := _binding_error(*one)) is not None]
    in_use = [error for error in errors if error.errno == errno.EADDRINUSE]
    if in_use or len(errors) == len(found):  # a name may have an address of a kind that this machine does not speak
        raise OperatorError(_cannot_listen(host, port, (in_use or errors)[0]))


def _binding_error(family: int, kind: int, protocol: int, _name: str, address: tuple[Any, ...]) -> OSError | None:
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    where = f"port {port} of {host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: stop what uses it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"{where} is not for this user: choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: choose another with --host"
    return f"cannot listen on {where}: {error.strerror}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
