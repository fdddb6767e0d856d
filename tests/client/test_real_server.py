"""The device against the real server in a process of its own: what the fake one is only a stand-in for."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.conftest import HASTE
from tests.client.epochs import sha256
from tests.client.pictures import make_pictures
from tests.support.server_data import COST, PASSPHRASE, add_source, copy_data_folder, wait_for
from tests.support.server_process import ServerProcess
from tpsi import Item, ItemHash, Sharing, Synthetic, SyntheticMode
from tpsi_client import Device, ServiceError
from tpsi_server import DataFolder, Role, Runtime, Store
from tpsi_server.enrolment import Enrolment as EnrolmentFile
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.ingest import Outcome
from tpsi_server.keys import KeyRing
from tpsi_server.runtime import Status
from tpsi_server.setup import set_up

SAMPLES = make_pictures(12)
LISTED, THRESHOLD = 5, 3
OPTIONS = BuildOptions(Sharing(THRESHOLD, 16), Synthetic(SyntheticMode.REPLACE, 1))


def build(folder: DataFolder) -> int:
    """Put another epoch in force; its number."""
    with Store.open(folder.database) as store:
        builder = Builder(folder, store, KeyRing(folder.keys, PASSPHRASE, cost=COST), processes=1)
        return builder.build(OPTIONS).epoch


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A server's folder whose list holds five of the twelve photographs."""
    folder = DataFolder.at(tmp_path_factory.mktemp("template") / "server")
    set_up(folder, "photographs", PASSPHRASE, cost=COST)
    listed = [sha256(content) for content in SAMPLES[:LISTED]]
    fillers = [sha256(b"filler %d" % number) for number in range(300)]
    with Store.open(folder.database) as store:
        add_source(store, "clinic", [*listed, *fillers])
    build(folder)
    return folder


@pytest.fixture
def data(template: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy for each test."""
    return copy_data_folder(template, tmp_path / "server")


@pytest.fixture
def server(data: DataFolder) -> Iterator[ServerProcess]:
    with ServerProcess(data) as running:
        running.served()
        yield running


@pytest.fixture
def file(data: DataFolder, server: ServerProcess, tmp_path: Path) -> Path:
    """Alice's enrolment file, as the operator makes it."""
    served = server.served()
    assert served.ca is not None
    with Runtime(data) as runtime:
        runtime.accounts.create("alice")
        token = runtime.accounts.issue(Role.DEVICE, "alice").token
        identity = runtime.identity
    path = tmp_path / "alice.json"
    EnrolmentFile(served.address, served.ca.decode(), identity, "alice", token, THRESHOLD).write(path)
    return path


@pytest.fixture
def device(file: Path, home: Path) -> Iterator[Device]:
    with Device.enrol(home, file, patience=HASTE) as enrolled:
        yield enrolled


def status_of(data: DataFolder) -> Status:
    with Runtime(data) as runtime:
        return runtime.status()


def test_enrol_scan_upload_reveal(device: Device, data: DataFolder, folder: Path) -> None:
    assert device.enrolled is not None
    assert device.enrolled.check.agreeing == ("sha256",)
    assert device.scan(folder).vouchers == 12
    assert device.upload().acknowledged == 12
    wait_for(lambda: status_of(data).accounts_revealed == 1)
    assert (status_of(data).vouchers_received, status_of(data).vouchers_waiting) == (12, 0)
    assert device.scan(folder).vouchers == 0
    assert not device.fetch().new


def test_a_retired_epoch_is_refused_and_the_next_one_fetched(device: Device, data: DataFolder, folder: Path) -> None:
    device.scan(folder)
    assert build(data) == 2
    with Store.open(data.database) as store:
        store.epochs.retire(1, time.time())
    wait_for(lambda: device.fetch().epoch == 2)  # the server looks for what the operator does now and then
    report = device.upload()
    assert (report.acknowledged, report.refused) == (0, {"VOUCHER_WRONG_EPOCH": 12})
    assert device.scan(folder).vouchers == 0
    device.rescan()
    assert device.scan(folder).vouchers == 12
    assert device.upload().acknowledged == 12


def test_exported_vouchers_are_ingested_without_the_network(
    device: Device, data: DataFolder, folder: Path, tmp_path: Path
) -> None:
    device.scan(folder)
    path = tmp_path / "vouchers"
    assert device.export(path) == 12
    taken = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tpsi_server.cli import main; main()",
            *("ingest", str(path), "--data", str(data.path), "--account", "alice"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (taken.returncode, taken.stderr) == (0, "")
    assert device.upload().acknowledged == 12  # the server has them already, and says so in the same way
    assert status_of(data).vouchers_received == 12


def test_sealed_octets_are_taken_by_the_servers_library(device: Device, data: DataFolder) -> None:
    vouchers = device.seal([Item(b"one", (sha256(SAMPLES[0]),)), Item(b"two", (ItemHash("sha256", bytes(32)),))])
    with Runtime(data) as runtime:
        assert runtime.ingest.ingest("alice", vouchers) == [Outcome(), Outcome()]


def test_a_revoked_device_is_told_so(device: Device, data: DataFolder) -> None:
    with Runtime(data) as runtime:
        runtime.accounts.revoke_account("alice")
    with pytest.raises(ServiceError, match="revoked") as caught:
        device.fetch()
    assert caught.value.reason == "TOKEN_REVOKED"


def test_a_server_killed_and_started_again_goes_on(
    device: Device, data: DataFolder, server: ServerProcess, folder: Path
) -> None:
    port = server.served().port
    device.scan(folder)
    server.kill()
    with pytest.raises(ServiceError, match="nothing listens"):
        device.upload()
    server.port_file.unlink()
    with ServerProcess(data, port=port) as again:
        again.served()
        assert device.upload().acknowledged == 12
