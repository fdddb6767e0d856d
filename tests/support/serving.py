"""A server of gRPC over TLS for tests, in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from tpsi_proto import tpsi_pb2_grpc
from tpsi_server import Runtime
from tpsi_server.service.server import Service
from tpsi_server.tls import ServerTls

#: Seconds that anything may take before a test gives up.
PATIENCE = 120.0


@dataclass(frozen=True)
class Served:
    """Where a server is, and the octets of the CA certificate that it is trusted by (None: plaintext)."""

    port: int
    ca: bytes | None
    host: str = "127.0.0.1"
    shown: tuple[bytes, bytes] | None = None  # a client's key and certificate

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"{self.host}:{self.port}"

    @contextmanager
    def channel(self, *, ca: bytes | None = None, name: str | None = None) -> Iterator[grpc.Channel]:
        """A channel, over TLS if the server has it; another CA, or another name to expect, can be given."""
        options: list[tuple[str, int | str]] = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
        if name is not None:
            options.append(("grpc.ssl_target_name_override", name))
        trusted = ca or self.ca
        if trusted is None:
            channel = grpc.insecure_channel(self.address, options)
        else:
            key, certificate = self.shown or (None, None)
            credentials = grpc.ssl_channel_credentials(trusted, key, certificate)
            channel = grpc.secure_channel(self.address, credentials, options)
        with channel:
            yield channel

    @contextmanager
    def client(self, token: str | None = None) -> Iterator["Client"]:
        """The three services, called with a token."""
        with self.channel() as channel:
            yield Client(channel, token)


class Client:
    """Stubs of all services that send a token with every call: `client.tables.GetManifest(request)`."""

    def __init__(self, channel: grpc.Channel, token: str | None) -> None:
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        services: Any = tpsi_pb2_grpc
        self.tables: Any = _Calls(services.TableServiceStub(channel), metadata)
        self.vouchers: Any = _Calls(services.VoucherServiceStub(channel), metadata)
        self.log: Any = _Calls(services.LogServiceStub(channel), metadata)
        self.operator: Any = _Calls(services.OperatorServiceStub(channel), metadata)


class _Calls:
    def __init__(self, stub: Any, metadata: list[tuple[str, str]]) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stub, name)
        return lambda request: method(request, metadata=self._metadata, timeout=PATIENCE)

    def start(self, name: str, request: Any) -> Any:
        """Begin a call with one answer; a future of it."""
        return getattr(self._stub, name).future(request, metadata=self._metadata, timeout=PATIENCE)


def raw_call(
    channel: grpc.Channel, path: str, message: bytes = b"", metadata: Iterable[tuple[str, str]] = ()
) -> list[bytes]:
    """Make any call with the octets of one message; the octets of the answers."""
    call: Any = channel.stream_stream
    return list(call(path)(iter([message]), metadata=tuple(metadata), timeout=PATIENCE))


class ServerThread:
    """A service in an event loop of its own thread. `stop` may be called once, from any thread."""

    def __init__(
        self,
        runtime: Runtime,
        tls: ServerTls | None,
        host: str = "127.0.0.1",
        port: int = 0,
        **options: Any,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server", daemon=True)
        self._thread.start()
        self._stopped = False
        try:
            self.service: Service = self._run(_make(runtime, tls, host, port, **options))
            port = self._run(self.service.start())
        except BaseException:
            self._end_loop()
            raise
        ca = None if tls is None or tls.authority is None else tls.authority.read_bytes()
        self.served = Served(port, ca, host)
        self.for_certificates = Served(self.service.certificate_port or 0, ca, host)

    def stop(self, grace: float = 0.0) -> None:
        """Stop serving; the runtime stays open."""
        if self._stopped:
            return
        self._stopped = True
        self._run(self.service.stop(grace))
        self._end_loop()

    def hurry(self) -> None:
        """Cut off the calls that `stop` waits for."""
        self._run(self.service.stop(0.0))

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def _end_loop(self) -> None:
        self._run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


async def _make(*arguments: Any, **options: Any) -> Service:
    """The service belongs to the event loop that it is made in."""
    return Service(*arguments, **options)


@contextmanager
def serving(
    runtime: Runtime, tls: ServerTls | None, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> Iterator[ServerThread]:
    """A server in a thread, for as long as the block lasts; `options` are those of Service."""
    server = ServerThread(runtime, tls, host, port, **options)
    try:
        yield server
    finally:
        server.stop()
