"""Fixtures: an authority, a running fake server, a device's folder, pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client.certificates import Authority, ServerCertificate
from tests.client.epochs import Epoch, first_epoch
from tests.client.fake_server import Behaviour, FakeServer, save_enrolment
from tests.client.pictures import make_pictures
from tpsi_client import Choices, Device, Patience

#: Three attempts without pauses worth mentioning.
HASTE = Patience(attempts=3, first=0.001, longest=0.002)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> ServerCertificate:
    return authority.certify("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Twelve different photographs as files."""
    return make_pictures(12)


@pytest.fixture
def epoch() -> Epoch:
    """The list that the server begins with; modules and tests override it."""
    return first_epoch()


@pytest.fixture
def server(epoch: Epoch, certificate: ServerCertificate) -> Iterator[FakeServer]:
    with FakeServer(Behaviour(epoch), certificate) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def enrol(server: FakeServer, authority: Authority, home: Path, tmp_path: Path) -> Iterator[Callable[..., Device]]:
    """Enrols a device, which is closed at the end of the test."""
    devices: list[Device] = []

    def make(choices: Choices | None = None, *, where: Path = home, fetch: bool = True, **changes: object) -> Device:
        path = save_enrolment(tmp_path, server, authority, **changes)
        device = Device.enrol(where, path, choices, fetch=fetch, patience=HASTE)
        devices.append(device)
        return device

    yield make
    for device in devices:
        device.close()


@pytest.fixture
def device(enrol: Callable[..., Device]) -> Device:
    return enrol()


@pytest.fixture
def folder(tmp_path: Path, photos: list[bytes]) -> Path:
    """A folder with the twelve photographs."""
    top = tmp_path / "photographs"
    top.mkdir()
    for number, content in enumerate(photos):
        (top / f"photo{number:02}.jpg").write_bytes(content)
    return top
