"""Fixtures: a server with real tables, accounts and files, on loopback over TLS."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.server_data import PASSPHRASE, TestEpoch, copy_data_folder, make_data_folder
from tests.support.serving import Client, ServerThread, serving
from tpsi_server import DataFolder, Role, Runtime, TlsOptions
from tpsi_server.tls import ServerTls, server_tls


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The data folder that others are copies of."""
    return make_data_folder(tmp_path_factory.mktemp("template") / "data")


@pytest.fixture(scope="session")
def epoch(template: DataFolder) -> TestEpoch:
    """The newest epoch, as devices have it."""
    return TestEpoch.read(template)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTls:
    """A development certificate, for this machine's names."""
    made = server_tls(TlsOptions(), tmp_path_factory.mktemp("tls") / "tls", "127.0.0.1")
    assert made is not None
    return made


@pytest.fixture
def folder(template: DataFolder, tmp_path: Path) -> DataFolder:
    """A data folder of the test's own."""
    return copy_data_folder(template, tmp_path / "data")


@pytest.fixture
def runtime(folder: DataFolder) -> Iterator[Runtime]:
    """A runtime that does not match, with the accounts alice and bob."""
    with Runtime(folder, PASSPHRASE, workers=0) as opened:
        for name in ("alice", "bob"):
            opened.accounts.create(name)
        yield opened


@pytest.fixture
def server(runtime: Runtime, tls: ServerTls) -> Iterator[ServerThread]:
    """The runtime on the network."""
    with serving(runtime, tls) as running:
        yield running


Issue = Callable[..., str]
Connect = Callable[[str | None], Client]


@pytest.fixture
def issue(runtime: Runtime) -> Issue:
    """Issues a token: `issue(role)`, for devices of alice if not said otherwise."""

    def make(role: Role = Role.DEVICE, account: str | None = "alice", lifetime: float | None = None) -> str:
        own = account if role is Role.DEVICE else None
        return runtime.accounts.issue(role, own, lifetime=lifetime).token.reveal().decode()

    return make


@pytest.fixture
def connect(server: ServerThread) -> Iterator[Connect]:
    """Connects with a token, until the test ends."""
    opened: list[AbstractContextManager[Client]] = []

    def make(token: str | None) -> Client:
        opened.append(server.served.client(token))
        return opened[-1].__enter__()

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def device(connect: Connect, issue: Issue) -> Client:
    """A client with a token of a device of alice."""
    return connect(issue())


@pytest.fixture
def operator(connect: Connect, issue: Issue) -> Client:
    """A client with an operator's token."""
    return connect(issue(Role.OPERATOR))
