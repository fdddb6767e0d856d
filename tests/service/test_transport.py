"""The transport: TLS and its faults, health, reflection, ports and limits."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.service.conftest import Issue
from tests.support.refusals import refused
from tests.support.server_data import wait_for
from tests.support.serving import Served, ServerThread, raw_call, serving
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import OperatorError, Role, Runtime, TlsOptions
from tpsi_server.service import limits
from tpsi_server.service import server as server_module
from tpsi_server.service.server import SERVICES
from tpsi_server.tls import ServerTls, server_tls

WHO_AM_I = "/tpsi.v1.VoucherService/WhoAmI"


def who_am_i(served: Served, token: str, **options: object) -> str:
    """The account that a server says a token stands for."""
    with served.channel(**options) as channel:  # type: ignore[arg-type]
        (answer,) = raw_call(channel, WHO_AM_I, metadata=[("authorization", f"Bearer {token}")])
        return pb.WhoAmIResponse.FromString(answer).account


def unreachable(served: Served, **options: object) -> str:
    """How a connection fails; no token is sent."""
    with pytest.raises(grpc.RpcError) as caught:
        who_am_i(served, "none", **options)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    return str(caught.value.details())


def other_ca(folder: Path) -> bytes:
    """The CA of another server."""
    made = server_tls(TlsOptions(), folder / "other", "127.0.0.1")
    assert made is not None
    assert made.authority is not None
    return made.authority.read_bytes()


@pytest.mark.parametrize("name", [None, "localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_ca_gets_an_answer(server: ServerThread, issue: Issue, name: str | None) -> None:
    assert who_am_i(server.served, issue(), name=name) == "alice"


def test_a_client_that_trusts_another_ca_does_not_connect(server: ServerThread, tmp_path: Path) -> None:
    unreachable(server.served, ca=other_ca(tmp_path))


def test_a_client_that_expects_another_name_does_not_connect(server: ServerThread) -> None:
    unreachable(server.served, name="server.example")


def test_a_client_without_tls_does_not_connect(server: ServerThread) -> None:
    unreachable(Served(server.served.port, None))


def test_an_expired_server_certificate_is_not_trusted(runtime: Runtime, tmp_path: Path) -> None:
    old = server_tls(TlsOptions(), tmp_path / "old", "127.0.0.1", now=datetime.now(UTC) - timedelta(days=400))
    with serving(runtime, old) as server:
        unreachable(server.served)


def test_a_server_certificate_that_is_not_yet_valid_is_not_trusted(runtime: Runtime, tmp_path: Path) -> None:
    early = server_tls(TlsOptions(), tmp_path / "early", "127.0.0.1", now=datetime.now(UTC) + timedelta(days=2))
    with serving(runtime, early) as server:
        unreachable(server.served)


def test_without_tls_only_plaintext_clients_get_an_answer(runtime: Runtime, issue: Issue, tmp_path: Path) -> None:
    with serving(runtime, None) as server:
        assert who_am_i(server.served, issue()) == "alice"
        unreachable(Served(server.served.port, other_ca(tmp_path)))


def test_health_is_open_and_knows_every_service(server: ServerThread) -> None:
    with server.served.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICES):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="nothing"), timeout=10)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_shows_the_contract(server: ServerThread) -> None:
    with server.served.channel() as channel:
        shown = ProtoReflectionDescriptorDatabase(channel)
        assert set(SERVICES) < set(shown.get_services())
        file = shown.FindFileContainingSymbol("tpsi.v1.VoucherService")
        assert [service.name for service in file.service] == [name.rpartition(".")[2] for name in SERVICES]


def test_reflection_can_be_left_out(runtime: Runtime, tls: ServerTls) -> None:
    with serving(runtime, tls, with_reflection=False) as server, server.served.channel() as channel:
        with pytest.raises(grpc.RpcError) as caught:
            ProtoReflectionDescriptorDatabase(channel).get_services()
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_port_in_use_is_refused_in_one_line(runtime: Runtime, tls: ServerTls, server: ServerThread) -> None:
    with pytest.raises(OperatorError, match=f"^port {server.served.port} of 127.0.0.1 is in use: stop .*--port$"):
        ServerThread(runtime, tls, port=server.served.port)


@pytest.mark.parametrize(
    ("host", "says"), [("192.0.2.1", "is not an address of this machine"), ("no.such.invalid", "there is no address")]
)
def test_a_host_that_is_not_this_one_is_refused_in_one_line(
    runtime: Runtime, tls: ServerTls, host: str, says: str
) -> None:
    with pytest.raises(OperatorError, match=says) as caught:
        ServerThread(runtime, tls, host)
    assert "\n" not in str(caught.value)


def test_one_usable_address_of_a_name_is_enough(
    runtime: Runtime, tls: ServerTls, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine whose `localhost` has an IPv6 address, but which has no IPv6."""
    absent = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))
    usable = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: [absent, usable])
        server = ServerThread(runtime, tls)
    try:
        assert who_am_i(server.served, issue()) == "alice"
    finally:
        server.stop()


def test_a_port_is_free_again_right_after_the_server_stopped(
    runtime: Runtime, tls: ServerTls, server: ServerThread, issue: Issue
) -> None:
    token = issue()
    assert who_am_i(server.served, token) == "alice"
    server.stop()
    with serving(runtime, tls, port=server.served.port) as again:
        assert who_am_i(again.served, token) == "alice"


def test_headers_beyond_the_bound_are_refused(server: ServerThread) -> None:
    with pytest.raises(grpc.RpcError) as caught, server.served.channel() as channel:
        raw_call(channel, WHO_AM_I, metadata=[("x", "y" * 40_000)])
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_connection_over_which_nothing_is_admitted_is_closed(
    runtime: Runtime, tls: ServerTls, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a caller who was revoked; here within a second, else within a minute."""
    assert ("grpc.max_connection_idle_ms", limits.IDLE_TIMEOUT) in server_module._OPTIONS
    shorter = [option for option in server_module._OPTIONS if option[0] != "grpc.max_connection_idle_ms"]
    monkeypatch.setattr(server_module, "_OPTIONS", (*shorter, ("grpc.max_connection_idle_ms", 1000)))
    token = runtime.accounts.issue(Role.DEVICE, "alice")
    states: list[grpc.ChannelConnectivity] = []
    with serving(runtime, tls) as running, running.served.channel() as channel:
        channel.subscribe(states.append)
        metadata = [("authorization", f"Bearer {token.token.reveal().decode()}")]
        raw_call(channel, WHO_AM_I, metadata=metadata)
        runtime.accounts.revoke_token(token.token_id)
        with refused("TOKEN_REVOKED"):
            raw_call(channel, WHO_AM_I, metadata=metadata)
        wait_for(lambda: grpc.ChannelConnectivity.READY in states and states[-1] is not grpc.ChannelConnectivity.READY)
    assert limits.IDLE_TIMEOUT <= 60_000
