"""Callers that have shown nothing: what they can hold, and what they are told."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.service.conftest import Issue
from tests.support.refusals import refused
from tests.support.serving import PATIENCE, ServerThread, raw_call
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Runtime
from tpsi_server.service import limits
from tpsi_server.service.auth import OPEN, ROLES
from tpsi_server.service.gate import _address

MANIFEST = "/tpsi.v1.TableService/GetManifest"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.fixture
def nothing() -> Iterator[Iterator[bytes]]:
    """Messages of a caller that sends none, until the test ends."""
    over = threading.Event()

    def never() -> Iterator[bytes]:
        over.wait(PATIENCE)
        yield from ()

    yield never()
    over.set()


def begin(channel: grpc.Channel, path: str, messages: Iterator[bytes], token: str | None = None) -> Any:
    """Begin any call; its answers."""
    call: Any = channel.stream_stream
    metadata = () if token is None else [("authorization", f"Bearer {token}")]
    return call(path)(messages, metadata=metadata, timeout=PATIENCE)


@pytest.mark.parametrize("path", ROLES)
def test_a_call_without_a_token_is_refused_before_it_sends_anything(
    server: ServerThread, nothing: Iterator[bytes], path: str
) -> None:
    """Otherwise calls that stand still, or send what is large, take places and memory from everybody for nothing."""
    with server.served.channel() as channel, refused("TOKEN_MISSING"):
        list(begin(channel, path, nothing))


def test_a_call_of_one_message_that_sends_none_is_ended(
    server: ServerThread, issue: Issue, nothing: Iterator[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED", 0.3)
    with server.served.channel() as channel, refused("CALL_STALLED"):
        list(begin(channel, MANIFEST, nothing, issue()))


def test_a_call_of_one_message_that_ends_without_one_has_no_meaning(server: ServerThread, issue: Issue) -> None:
    with server.served.channel() as channel, refused("INVALID_REQUEST"):
        list(begin(channel, MANIFEST, iter(()), issue()))


def test_a_call_that_was_admitted_and_waits_to_send_is_cut_off_with_its_token(
    server: ServerThread, runtime: Runtime, issue: Issue, nothing: Iterator[bytes]
) -> None:
    token = issue()
    with server.served.channel() as channel:
        held = begin(channel, MANIFEST, nothing, token)
        assert raw_call(channel, MANIFEST, metadata=[("authorization", f"Bearer {token}")])
        number = runtime.accounts.authenticate(token).token_id
        assert number is not None
        runtime.accounts.revoke_token(number)
        with refused("TOKEN_REVOKED"):
            list(held)


def test_a_health_check_that_sends_nothing_is_ended(
    server: ServerThread, nothing: Iterator[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED", 0.3)
    with server.served.channel() as channel, refused("CALL_STALLED"):
        list(begin(channel, "/grpc.health.v1.Health/Check", nothing))


def test_open_calls_of_one_address_are_bounded(server: ServerThread) -> None:
    with ExitStack() as stack:
        channel = stack.enter_context(server.served.channel())
        stub = health_pb2_grpc.HealthStub(channel)
        for _ in range(limits.OPEN_CALLS):
            watched = stub.Watch(health_pb2.HealthCheckRequest())
            stack.callback(watched.cancel)
            next(watched)
        with refused("TOO_MANY_CALLS"):
            stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)


class From:
    """A call from somewhere."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        """As gRPC tells it."""
        return self._peer


def test_addresses_are_told_apart_and_ports_are_not() -> None:
    peers = ("ipv4:192.0.2.1:50000", "ipv4:192.0.2.1:50001", "ipv4:192.0.2.2:50000", "ipv6:%5B2001:db8::1%5D:50000")
    found = [_address(From(peer)) for peer in peers]  # type: ignore[arg-type]
    assert found == ["ipv4:192.0.2.1", "ipv4:192.0.2.1", "ipv4:192.0.2.2", "ipv6:%5B2001:db8::1%5D"]


@pytest.mark.parametrize("path", sorted(OPEN))
@pytest.mark.parametrize("octets", [b"\xff\xff\xff", b"\x0a\xff\xff\x3f" + bytes(0xFFFFF), b"\xf8\x07\x01" * 100_000])
def test_what_an_open_call_cannot_read_is_refused_without_a_word_of_the_program(
    server: ServerThread, path: str, octets: bytes
) -> None:
    with server.served.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        raw_call(channel, path, octets)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "object" not in str(caught.value.details())


def test_a_large_name_is_no_service(server: ServerThread) -> None:
    """It would be kept for as long as it is watched, and sent back by reflection."""
    name = health_pb2.HealthCheckRequest(service="x" * limits.MAX_OPEN_MESSAGE)
    with server.served.channel() as channel, refused("INVALID_REQUEST"):
        next(health_pb2_grpc.HealthStub(channel).Watch(name, timeout=PATIENCE))


def test_a_second_message_of_a_call_that_has_one_is_not_looked_at(server: ServerThread, issue: Issue) -> None:
    first, second = pb.GetManifestRequest(epoch=2), pb.GetManifestRequest(epoch=3)
    with server.served.channel() as channel:
        sent = iter([first.SerializeToString(), second.SerializeToString()])
        (answer,) = begin(channel, MANIFEST, sent, issue())
    assert b'"epoch\\":2' in pb.GetManifestResponse.FromString(answer).signed_manifest
