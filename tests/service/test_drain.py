"""Stopping: what is acknowledged stays, what is not is refused with a reason, and nobody holds the server up."""

import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.refusals import refused
from tests.support.server_data import TestEpoch, wait_for
from tests.support.serving import PATIENCE, Client, ServerThread
from tpsi.merkle import CHUNK_SIZE
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Runtime, Store

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set at the end of the test, for peers that say nothing for as long as it lasts."""
    event = threading.Event()
    yield event
    event.set()


def stop(server: ServerThread, grace: float = 10.0) -> threading.Thread:
    """Begin to stop a server."""
    thread = threading.Thread(target=server.stop, args=(grace,))
    thread.start()
    return thread


def test_an_upload_under_way_is_told_that_the_server_stops_and_loses_nothing(
    server: ServerThread,
    device: Client,
    epoch: TestEpoch,
    runtime: Runtime,
    released: threading.Event,
) -> None:
    vouchers = epoch.seal(range(6))

    def batches() -> Iterator[pb.UploadBatch]:
        for sequence in range(3):
            yield pb.UploadBatch(sequence=sequence, vouchers=vouchers[2 * sequence : 2 * sequence + 2])
        released.wait(PATIENCE)

    acks = device.vouchers.Upload(batches())
    stored = sum(next(acks).stored for _ in range(3))
    stopping = stop(server)
    with refused("SHUTTING_DOWN") as told:
        next(acks)
    assert (told.code, told.retry_after) == (grpc.StatusCode.UNAVAILABLE, 5)
    stopping.join(PATIENCE)
    runtime.close()
    with Store.open(runtime.folder.database) as store:
        record = store.accounts.find("alice")
        assert record is not None
        assert record.vouchers == stored == 6


def test_a_download_under_way_is_brought_to_its_end(server: ServerThread, device: Client, epoch: TestEpoch) -> None:
    call = device.tables.DownloadTable(pb.DownloadTableRequest(manifest_digest=epoch.manifest.digest))
    first = next(call).data
    stopping = stop(server)
    assert first + b"".join(piece.data for piece in call) == epoch.cells
    assert len(first) == CHUNK_SIZE
    stopping.join(PATIENCE)


def test_a_stopped_server_takes_no_calls(server: ServerThread, device: Client) -> None:
    device.vouchers.WhoAmI(pb.WhoAmIRequest())
    server.stop()
    with pytest.raises(grpc.RpcError) as caught:
        device.vouchers.WhoAmI(pb.WhoAmIRequest())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_watchers_of_health_learn_first_and_hold_nobody_up(server: ServerThread, released: threading.Event) -> None:
    def questions() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        released.wait(PATIENCE)

    with server.served.channel() as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        reflected = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(questions())
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        assert next(reflected).HasField("list_services_response")
        stopping = stop(server, grace=4 * PATIENCE)
        assert next(watched).status == NOT_SERVING
        for call in (watched, reflected):
            with refused("SHUTTING_DOWN"):
                next(call)
        stopping.join(PATIENCE)
        assert not stopping.is_alive()


@pytest.mark.parametrize("in_a_hurry", [False, True])
def test_a_call_that_does_not_end_is_cut_off_when_the_grace_is_over_or_somebody_hurries(
    server: ServerThread, device: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, in_a_hurry: bool
) -> None:
    stalled, over = threading.Event(), threading.Event()

    def stall() -> None:
        stalled.set()
        over.wait(PATIENCE)

    monkeypatch.setattr(runtime.tables, "newest", stall)
    call = device.tables.start("GetManifest", pb.GetManifestRequest())
    wait_for(stalled.is_set)
    stopping = stop(server, grace=4 * PATIENCE if in_a_hurry else 0.2)
    if in_a_hurry:
        server.hurry()
    error = call.exception(PATIENCE)
    over.set()
    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    stopping.join(PATIENCE)
