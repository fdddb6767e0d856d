"""No connection, or not to the right server: each case in words that say what to do."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.certificates import DAY, NOW, Authority
from tests.client.conftest import HASTE
from tests.client.epochs import first_epoch
from tests.client.fake_server import Behaviour, FakeServer, enrolment
from tpsi_client import Device, Enrolment, IdentityError, UnreachableError


def attempt(home: Path, authority: Authority, address: str) -> None:
    Device.enrol(home, Enrolment.decode(enrolment(address, authority)), patience=HASTE)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens at, nor can while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.fixture
def plain_port() -> Iterator[int]:
    """Something that answers, but not in TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def answer() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"220 mail.example.org ESMTP\r\n" * 20)

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        stop.set()
        with socket.create_connection(listener.getsockname()):
            pass
        thread.join()


def test_a_closed_port(home: Path, authority: Authority, closed_port: int) -> None:
    with pytest.raises(UnreachableError, match=f"nothing listens at 127.0.0.1:{closed_port}"):
        attempt(home, authority, f"127.0.0.1:{closed_port}")


def test_a_name_that_does_not_exist(home: Path, authority: Authority) -> None:
    with pytest.raises(UnreachableError, match=r"no network address is known for no-such-host.invalid"):
        attempt(home, authority, "no-such-host.invalid:443")


def test_a_port_where_something_else_answers(home: Path, authority: Authority, plain_port: int) -> None:
    with pytest.raises(IdentityError, match="does not speak TLS"):
        attempt(home, authority, f"127.0.0.1:{plain_port}")


@pytest.mark.parametrize(
    ("names", "days", "said"),
    [
        (("other.example.org",), (-1, 1), "is for another name than 127.0.0.1"),
        (("127.0.0.1",), (-3, -1), "has expired"),
        (("127.0.0.1",), (1, 3), "not valid yet"),
    ],
)
def test_a_certificate_that_is_not_right(
    home: Path, authority: Authority, names: tuple[str, ...], days: tuple[int, int], said: str
) -> None:
    certificate = authority.certify(*names, start=NOW + days[0] * DAY, end=NOW + days[1] * DAY)
    with (
        FakeServer(Behaviour(first_epoch()), certificate) as server,
        pytest.raises(IdentityError, match=said) as caught,
    ):
        attempt(home, authority, server.address)
    assert not caught.value.passing
