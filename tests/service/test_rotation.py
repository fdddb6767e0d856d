"""Certificates that are replaced while the server runs."""

import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.service.conftest import Issue
from tests.support.server_data import wait_for
from tests.support.server_process import ServerProcess
from tests.support.serving import PATIENCE, Served, serving
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Runtime, TlsOptions
from tpsi_server.tls_authority import Authority, general_names
from tpsi_server.tls_source import LOOK_PERIOD, RENEWAL_PERIOD, TlsSource

NOW = datetime.now(UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def write(folder: Path, authority: Authority) -> TlsOptions:
    """An operator's files, written as a renewal tool does: the key, then the certificate."""
    pair = authority.issue(general_names(["localhost", "127.0.0.1"]), NOW)
    certificate, key = folder / "mine.pem", folder / "mine.key"
    for path, data in ((key, pair.key_pem), (certificate, pair.certificate_pem)):
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_bytes(data)
        new.replace(path)
    return TlsOptions(certificate, key)


def serial(served: Served, ca: bytes) -> int:
    """The serial number of the certificate that a server presents."""
    context = ssl.create_default_context(cadata=ca.decode())
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((served.host, served.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=served.host) as secure,
    ):
        der = secure.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).serial_number


def test_new_files_are_presented_to_new_connections_and_old_ones_stay(
    runtime: Runtime, issue: Issue, tmp_path: Path, clock: Clock
) -> None:
    authority = Authority.create(NOW)
    source = TlsSource(write(tmp_path, authority), tmp_path, "127.0.0.1", clock=clock)
    with serving(runtime, source.current, present=source.present) as server:
        served = Served(server.served.port, authority.certificate_pem)
        with served.client(issue()) as client:
            first = serial(served, authority.certificate_pem)
            assert client.vouchers.WhoAmI(pb.WhoAmIRequest()).account == "alice"
            write(tmp_path, authority)
            assert serial(served, authority.certificate_pem) == first
            clock.now += LOOK_PERIOD
            assert serial(served, authority.certificate_pem) != first
            assert client.vouchers.WhoAmI(pb.WhoAmIRequest()).account == "alice"


@pytest.mark.parametrize("fault", ["no key", "another key", "no certificate", "expired"])
def test_files_that_cannot_be_used_change_nothing_and_are_complained_of_once(
    tmp_path: Path, clock: Clock, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority.create(NOW)
    options = write(tmp_path, authority)
    source = TlsSource(options, tmp_path, "127.0.0.1", clock=clock)
    before = source.current
    _spoil(tmp_path, authority, fault)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            clock.now += LOOK_PERIOD
            assert source.present() is before
    (complaint,) = caplog.records
    assert complaint.getMessage().startswith("the certificate stays as it was: ")
    write(tmp_path, authority)
    clock.now += LOOK_PERIOD
    assert source.present() is source.current is not before


def _spoil(folder: Path, authority: Authority, fault: str) -> None:
    if fault == "no key":
        (folder / "mine.key").unlink()
    elif fault == "another key":
        (folder / "mine.key").write_bytes(Authority.create(NOW).key_pem)
    elif fault == "no certificate":
        (folder / "mine.pem").write_bytes(b"-----BEGIN")
    else:
        pair = authority.issue(general_names(["localhost"]), NOW - timedelta(days=1000))
        (folder / "mine.key").write_bytes(pair.key_pem)
        (folder / "mine.pem").write_bytes(pair.certificate_pem)


def test_a_development_certificate_is_renewed_while_the_server_runs(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = TlsSource(TlsOptions(), tmp_path, "127.0.0.1", clock=clock)
    first, authority = source.current, (tmp_path / "ca.pem").read_bytes()
    monkeypatch.setattr("tpsi_server.tls.RENEW_BEFORE", timedelta(days=500))  # as if it were that old
    clock.now += RENEWAL_PERIOD - 1
    assert source.present() is first
    clock.now += 1
    renewed = source.present()
    assert renewed.chain != first.chain
    assert (tmp_path / "ca.pem").read_bytes() == authority


@pytest.fixture
def process(folder: DataFolder) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers, and ends them."""
    running: list[ServerProcess] = []

    def start(*options: str) -> ServerProcess:
        running.append(ServerProcess(folder, *options))
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


def test_a_hangup_makes_a_running_server_read_its_files_and_stops_nothing(
    process: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    authority = Authority.create(NOW)
    write(tmp_path, authority)
    server = process("--certificate", str(tmp_path / "mine.pem"), "--private-key", str(tmp_path / "mine.key"))
    wait_for(server.port_file.exists)
    served = Served(int(server.port_file.read_text()), authority.certificate_pem)
    first = serial(served, authority.certificate_pem)
    write(tmp_path, authority)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: serial(served, authority.certificate_pem) != first)
    status, _, errors = server.stop()
    assert (status, errors) == (0, "")
