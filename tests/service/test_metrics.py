"""Metrics: what they count, who can read them, and that they tell nothing of one account."""

import re
import urllib.request
from collections.abc import Callable, Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.conftest import Connect
from tests.support.refusals import refused
from tests.support.server_data import PASSPHRASE, TestEpoch, wait_for
from tests.support.server_process import ServerProcess
from tests.support.serving import Client, ServerThread, serving
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, OperatorError, Role, Runtime, StoreError
from tpsi_server.service.metrics import Metrics
from tpsi_server.tls import ServerTls

Figures = dict[tuple[str, tuple[str, ...]], float]


def read(text: str) -> Figures:
    """Every figure by its name and the values of its labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def shown(server: ServerThread) -> Figures:
    """What a server would show now."""
    return read(generate_latest(server.service.metrics.registry).decode())


def batch(vouchers: list[bytes]) -> pb.UploadBatch:
    return pb.UploadBatch(sequence=1, vouchers=vouchers)


def test_calls_and_vouchers_are_counted_by_what_they_were_told(
    server: ServerThread, device: Client, epoch: TestEpoch, connect: Connect
) -> None:
    vouchers = epoch.seal(range(5))
    for some in (vouchers, [*vouchers[:2], b"nonsense"]):
        assert len(list(device.vouchers.Upload(iter([batch(some)])))) == 1
    with refused("BATCH_EMPTY"):
        list(device.vouchers.Upload(iter([batch([])])))
    with refused("TOKEN_UNKNOWN"):
        connect("x").vouchers.WhoAmI(pb.WhoAmIRequest())
    wait_for(lambda: ("tpsi_calls_total", ("Upload", "OK")) in shown(server))
    figures = shown(server)
    assert figures["tpsi_vouchers_total", ("stored",)] == 5
    assert figures["tpsi_vouchers_total", ("already",)] == 2
    assert figures["tpsi_vouchers_total", ("VOUCHER_MALFORMED",)] == 1
    assert figures["tpsi_calls_total", ("Upload", "BATCH_EMPTY")] == 1
    assert figures["tpsi_calls_total", ("WhoAmI", "TOKEN_UNKNOWN")] == 1
    assert figures["tpsi_acknowledgement_seconds_count", ()] == 2
    assert figures["tpsi_waiting_vouchers", ()] == 5
    assert 0 <= figures["tpsi_queue_age_seconds", ()] < 60
    assert figures["tpsi_store_works", ()] == 1
    assert figures["tpsi_held_octets", ()] == 0
    assert figures["tpsi_certificate_expires_seconds", ()] > 1e9


@pytest.fixture
def matching(folder: DataFolder, tls: ServerTls) -> Iterator[tuple[ServerThread, Runtime]]:
    """A server that matches, with an account whose name would be seen."""
    with Runtime(folder, PASSPHRASE, workers=0) as runtime:
        for name in ("alice-the-canary", "bob-the-canary"):
            runtime.accounts.create(name)
        runtime.start_matching()
        with serving(runtime, tls) as server:
            yield server, runtime


def test_no_figure_is_about_one_account(matching: tuple[ServerThread, Runtime], epoch: TestEpoch) -> None:
    """Every name, label and value is looked at: after one account matched, and again after another one did alike."""
    server, runtime = matching
    names: list[set[tuple[str, tuple[str, ...]]]] = []
    for account, listed in (("alice-the-canary", 6), ("bob-the-canary", 6)):
        token = runtime.accounts.issue(Role.DEVICE, account).token.reveal().decode()
        vouchers = epoch.seal([*range(listed), "other"], account, seed=account)
        with server.served.client(token) as client:
            acks = list(client.vouchers.Upload(iter([batch(vouchers)])))
            assert acks[0].stored == 7
        record = runtime.store.accounts.find(account)
        assert record is not None
        wait_for(lambda account=account: runtime.store.accounts.find(account).revealed == 6)  # type: ignore[misc,union-attr]
        wait_for(lambda: ("tpsi_calls_total", ("Upload", "OK")) in shown(server))
        text = generate_latest(server.service.metrics.registry).decode()
        assert "canary" not in text
        assert token not in text
        for voucher in vouchers:
            assert voucher[17:33].hex() not in text
        names.append(set(read(text)))
    figures = shown(server)
    assert figures["tpsi_matched_vouchers_total", ("opened",)] == 12
    assert figures["tpsi_matched_vouchers_total", ("not_opened",)] == 2
    assert figures["tpsi_revealed_vouchers_total", ()] == 12
    assert figures["tpsi_detections_total", ()] >= 2
    assert names[0] == names[1], "a second account adds no series"
    labels = {label for _, values in names[0] for label in values}
    words = re.compile(r"[A-Z][A-Za-z]+|[A-Z_]+|stored|already|opened|not_opened|failed|[0-9.]+|\+Inf")
    assert all(words.fullmatch(label) for label in labels), labels


def test_they_are_off_unless_asked_for_and_then_on_this_machine_alone(folder: DataFolder) -> None:
    with ServerProcess(folder, "--workers", "0") as process:
        process.served()
        assert "metrics" not in process.stop()[1]
    with ServerProcess(folder, "--metrics-port", "0", "--workers", "0") as process:
        process.served()
        said = [process.process.stdout.readline() for _ in range(2)]  # type: ignore[union-attr]
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+/metrics", "".join(said))
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            assert b"tpsi_waiting_vouchers 0.0" in answer.read()
        assert process.stop()[::2] == (0, "")


def test_a_port_in_use_is_refused_in_one_line() -> None:
    port, end = Metrics().serve("127.0.0.1", 0)
    with pytest.raises(OperatorError, match=f"port {port} of 127.0.0.1"):
        Metrics().serve("127.0.0.1", port)
    end()


def test_figures_of_a_store_that_fails_are_missing_and_the_others_are_there(
    server: ServerThread, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise StoreError("the disk is on fire")

    monkeypatch.setattr(runtime.store.vouchers, "count_waiting", fail)
    figures = shown(server)
    assert ("tpsi_waiting_vouchers", ()) not in figures
    assert figures["tpsi_uploads", ()] == 0


# ---------------------------------------------------------------- health


def test_health_goes_down_with_the_store_and_comes_back_with_it(
    server: ServerThread, runtime: Runtime, device: Client, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full: it can be read, but not be written to."""
    serving_, down = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    full = StoreError("the database failed: database or disk is full")
    with server.served.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watched = stub.Watch(health_pb2.HealthCheckRequest(service="tpsi.v1.VoucherService"), timeout=60)
        assert next(watched).status == serving_
        probe = runtime.store.probe
        with monkeypatch.context() as patched:
            patched.setattr(runtime.store.vouchers, "store", _raises(full))
            patched.setattr(runtime.store, "probe", lambda *, write: _raises(full)() if write else probe(write=False))
            with refused("STORE_UNAVAILABLE") as told:
                next(device.vouchers.Upload(iter([batch(epoch.seal(["one"]))])))
            assert told.code is grpc.StatusCode.UNAVAILABLE
            assert next(watched).status == down
        assert next(watched).status == serving_
    assert next(device.vouchers.Upload(iter([batch(epoch.seal(["one"]))]))).stored == 1


def _raises(error: Exception) -> Callable[..., None]:
    def fail(*_arguments: object) -> None:
        raise error

    return fail
