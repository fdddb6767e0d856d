"""Fixtures that several folders of tests share, and what every run of the tests says about itself."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends import LEFT_OUT
from tests.support.postgres import ENVIRONMENT, PostgresServer
from tpsi_server.store import Location


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command that a test runs in this process sets up logging; what it set up ends with the test."""
    log = logging.getLogger("tpsi_server")
    handlers, level, propagate = log.handlers, log.level, log.propagate
    yield
    log.handlers, log.propagate = handlers, propagate
    log.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when the first test asks for it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def own_postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL server that tests may stop, look into, and set up wrongly."""
    if ENVIRONMENT in os.environ:
        with PostgresServer(own=True) as server:
            yield server
    else:
        yield request.getfixturevalue("postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """Where a new store can be made, on each engine."""
    if request.param == "sqlite":
        yield tmp_path / "store"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LEFT_OUT:
        terminalreporter.write_line(f"The native core's tests were left out: {LEFT_OUT} (make native installs it).")
