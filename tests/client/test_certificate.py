"""A device that shows a certificate in place of a token, from the operator's command to its uploads."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.client.conftest import HASTE
from tests.support.client_certificates import self_signed
from tests.support.server_data import make_data_folder
from tests.support.server_process import ServerProcess
from tpsi import Item, ItemHash, SyntheticMode
from tpsi_client import Device, Enrolment, EnrolmentError, IdentityError, ServiceError, UnreachableError
from tpsi_client.enrolling import Choices
from tpsi_server import DataFolder, Runtime
from tpsi_server.cli import main

CHOICES = Choices(modes=(SyntheticMode.NONE,))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return make_data_folder(tmp_path_factory.mktemp("certificates") / "server")


@pytest.fixture(scope="module")
def server(data: DataFolder) -> Iterator[ServerProcess]:
    with ServerProcess(data, "--certificate-port", "0", "--workers", "0") as running:
        running.served()
        yield running


Operate = Callable[..., str]


@pytest.fixture
def operate(data: DataFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operate:
    """Runs the operator's command; what it says."""
    monkeypatch.setenv("TPSI_DATA", str(data.path))

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert not end.value.code, said.err
        return said.out

    return run


@pytest.fixture
def account(operate: Operate) -> str:
    """An account of the test's own."""
    name = f"alice {uuid4()}"
    operate("account", "add", name)
    return name


@pytest.fixture
def file(server: ServerProcess, operate: Operate, account: str, tmp_path: Path) -> Path:
    """The account's enrolment file, with a certificate."""
    path = tmp_path / "enrolment.json"
    operate("certificate", "add", account, "--server", server.for_certificates().address, "--enrolment", path)
    return path


def test_a_device_with_a_certificate_enrols_fetches_and_uploads(
    file: Path, account: str, home: Path, data: DataFolder
) -> None:
    assert json.loads(file.read_bytes())["token"] is None
    with Device.enrol(home, file, CHOICES, patience=HASTE) as device:
        device.queue([Item(b"1", (ItemHash("md5", bytes(16)),), b"")])
        assert device.upload().acknowledged == 1
    with Device.open(home, patience=HASTE) as again:  # as it was written down
        assert again.fetch().new is False
    with Runtime(data) as runtime:
        record = runtime.store.accounts.find(account)
        assert record is not None
        assert record.vouchers == 1


def test_a_device_with_a_revoked_certificate_is_told_so(file: Path, account: str, home: Path, operate: Operate) -> None:
    with Device.enrol(home, file, CHOICES, patience=HASTE) as device:
        listed = json.loads(operate("certificate", "list", "--json"))
        (number,) = (one["id"] for one in listed if one["account"] == account)
        operate("certificate", "revoke", number, "--yes")
        with pytest.raises(ServiceError, match="revoked this device's certificate") as told:
            device.fetch()
        assert told.value.reason == "CERTIFICATE_REVOKED"
        assert not told.value.passing


@pytest.mark.parametrize("shown", ["nothing", "another"])
def test_a_device_without_the_right_certificate_is_told_so(file: Path, home: Path, shown: str) -> None:
    value = json.loads(file.read_bytes())
    if shown == "nothing":
        del value["certificate"], value["private_key"]
        value["token"] = "tpsi_" + "x" * 43
        expected = "may be for devices with certificates"
    else:
        other = self_signed()
        value |= {"certificate": other.certificate.decode(), "private_key": other.key.decode()}
        expected = "does not take this device's certificate"
    with pytest.raises((IdentityError, UnreachableError), match=expected):
        Device.enrol(home, Enrolment.decode(json.dumps(value).encode()), CHOICES, patience=HASTE)


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("private_key", "no key", "not one in PEM form"),
        ("private_key", None, '"private_key" has to be a text'),
        ("certificate", "no certificate", "not a PEM certificate"),
        ("certificate", None, '"token" has to be a text'),
    ],
)
def test_an_enrolment_file_with_a_faulty_certificate_is_refused(
    file: Path, member: str, value: str | None, says: str
) -> None:
    members = json.loads(file.read_bytes()) | {member: value}
    with pytest.raises(EnrolmentError, match=says) as told:
        Enrolment.decode(json.dumps(members).encode())
    assert "BEGIN" not in str(told.value)


def test_a_key_is_in_no_representation(file: Path) -> None:
    enrolment = Enrolment.read(file)
    key = json.loads(file.read_bytes())["private_key"]
    assert key.splitlines()[1] not in repr(enrolment)
    assert "PRIVATE" not in repr(enrolment)
