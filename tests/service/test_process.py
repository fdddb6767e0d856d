"""A server process: its start, the TLS it speaks, its end by signals, and what survives it."""

import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.refusals import refused
from tests.support.server_data import LISTED, PASSPHRASE, THRESHOLD, TestEpoch, copy_data_folder
from tests.support.server_process import ServerProcess
from tests.support.serving import PATIENCE, Served
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime, Store
from tpsi_server.matching import IDLE


@pytest.fixture
def token(folder: DataFolder) -> str:
    """A token of the new account alice, issued before the server starts."""
    with Runtime(folder) as runtime:
        runtime.accounts.create("alice")
        return runtime.accounts.issue(Role.DEVICE, "alice").token.reveal().decode()


@pytest.fixture
def process(folder: DataFolder, token: str) -> Iterator[ServerProcess]:
    """A running server."""
    with ServerProcess(folder) as running:
        running.served()
        yield running


@pytest.fixture(scope="module")
def shared(template: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server for tests that leave it as it is."""
    folder = copy_data_folder(template, tmp_path_factory.mktemp("shared") / "data")
    with ServerProcess(folder, "--certificate-port", "0") as running:
        running.served()
        yield running


def stored(folder: DataFolder) -> int:
    """How many vouchers of alice are in the store."""
    with Store.open(folder.database) as store:
        record = store.accounts.find("alice")
        assert record is not None
        return record.vouchers


def handshake(served: Served, version: ssl.TLSVersion) -> str | None:
    """The version of TLS that a handshake ends in."""
    assert served.ca is not None
    context = ssl.create_default_context(cadata=served.ca.decode())
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((served.host, served.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=served.host) as secure,
    ):
        return secure.version()


def batches(epoch: TestEpoch, sent: list[int]) -> Iterator[pb.UploadBatch]:
    """Batches of four vouchers without an end, with a note of what was sent."""
    for sequence in range(1000):
        sent.append(sequence)
        names = [f"{sequence} {i}" for i in range(4)]
        yield pb.UploadBatch(sequence=sequence, vouchers=epoch.seal(names, seed=f"batch {sequence}"))


def test_it_says_where_it_serves_and_ends_with_success(process: ServerProcess, token: str) -> None:
    served = process.served()
    with served.client(token) as client:
        assert client.vouchers.WhoAmI(pb.WhoAmIRequest()).account == "alice"
    status, output, errors = process.stop()
    assert (status, errors) == (0, "")
    first, *_, last = output.splitlines()
    assert f"serving 'a test list' on 127.0.0.1, port {served.port}" in first
    assert "ca.pem" in first
    assert last == "tpsi-server: stopped"
    assert not process.port_file.exists()


def test_it_speaks_tls_1_3_and_nothing_older(shared: ServerProcess) -> None:
    for served in (shared.served(), shared.for_certificates()):
        assert handshake(served, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(served, ssl.TLSVersion.TLSv1_2)


def test_a_signal_in_the_middle_of_an_upload_loses_nothing_that_was_acknowledged(
    process: ServerProcess, folder: DataFolder, token: str, epoch: TestEpoch
) -> None:
    sent: list[int] = []
    acknowledged = 0
    with process.served().client(token) as client:
        acks = client.vouchers.Upload(batches(epoch, sent))
        for _ in range(10):
            acknowledged += next(acks).stored
        process.process.send_signal(signal.SIGTERM)
        with refused("SHUTTING_DOWN") as told:
            for ack in acks:
                acknowledged += ack.stored
        assert told.code is grpc.StatusCode.UNAVAILABLE
    status, _, errors = process.wait()
    assert (status, errors) == (0, "")
    assert acknowledged >= 40
    assert acknowledged <= stored(folder) <= 4 * len(sent)


def test_without_matching_vouchers_wait_for_the_command(folder: DataFolder, token: str, epoch: TestEpoch) -> None:
    """And the server ends well with what waits; `match` then does it all."""
    vouchers = epoch.seal(LISTED[: THRESHOLD + 1], seed="listed")
    elsewhere = {key: key.rename(folder.path / key.name) for key in folder.keys.glob("epoch-*.key")}
    assert elsewhere, "the machine that devices talk to does not need them"
    with ServerProcess(folder, "--no-match") as server, server.served().client(token) as client:
        (ack,) = client.vouchers.Upload(iter([pb.UploadBatch(vouchers=vouchers)]))
        assert ack.stored == len(vouchers)
        assert psutil.Process(server.process.pid).children(recursive=True) == [], "nothing that matches was started"
        time.sleep(3 * IDLE)  # longer than a matcher would take to look for work
        assert server.stop()[0] == 0
    for key, where in elsewhere.items():
        where.rename(key)
    with Runtime(folder, PASSPHRASE, workers=0) as runtime:
        assert runtime.status().vouchers_waiting == len(vouchers)
        assert runtime.match_all().revealed == len(vouchers)


def test_a_kill_right_after_an_acknowledgement_loses_nothing_that_was_acknowledged(
    process: ServerProcess, folder: DataFolder, token: str, epoch: TestEpoch
) -> None:
    with process.served().client(token) as client:
        acks = client.vouchers.Upload(batches(epoch, []))
        acknowledged = sum(next(acks).stored for _ in range(10))
        process.kill()
    assert acknowledged == 40
    assert stored(folder) >= 40
    process.port_file.unlink()
    with ServerProcess(folder) as again, again.served().client(token) as client:
        (ack,) = client.vouchers.Upload(iter([next(batches(epoch, []))]))
        assert ack.stored == 4
        assert again.stop()[0] == 0
    assert stored(folder) >= 40


def test_a_second_signal_ends_it_as_cleanly(process: ServerProcess) -> None:
    with process.served().channel() as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        next(watched)
        process.process.send_signal(signal.SIGINT)
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
        status, output, errors = process.stop(signal.SIGINT)
    assert (status, errors) == (0, "")
    assert output.endswith("stopped\n")


def test_a_port_in_use_is_said_in_one_line(shared: ServerProcess, folder: DataFolder) -> None:
    with ServerProcess(folder, port=shared.served().port) as second:
        status, output, errors = second.wait()
    assert (status, output) == (1, "")
    assert errors.count("\n") == 1
    assert f"port {shared.served().port} of 127.0.0.1 is in use" in errors


@pytest.mark.parametrize("options", [(), ("--no-match",)])
def test_a_wrong_passphrase_is_said_in_one_line(folder: DataFolder, options: tuple[str, ...]) -> None:
    with ServerProcess(folder, *options, passphrase=b"not this one") as server:
        status, output, errors = server.wait()
    assert (status, output) == (1, "")
    assert errors.count("\n") == 1
    assert "passphrase" in errors
    assert not (folder.path / "port").exists()


def test_importing_the_service_does_not_import_grpc() -> None:
    """Or the choice of TLS 1.3 would come too late."""
    program = "import sys, tpsi_server.service; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
