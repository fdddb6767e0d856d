"""A few faults of each kind; `python -m tests.faults` does many."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.devices import kill_device
from tests.faults.disks import fill_disk, small_disk
from tests.faults.kills import kill_server, terminate_server
from tests.faults.postgres_disks import postgres_on_a_small_disk
from tests.faults.power import power_cuts
from tests.faults.restarts import restart_database
from tests.faults.stage import Stage
from tests.faults.verdicts import broken
from tests.faults.workers import kill_workers
from tests.support.postgres import PostgresServer


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the server says about faults that are meant is of no interest."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


Make = Callable[[str], Stage]


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a server on an engine."""
    ends: list[Callable[[], object]] = []

    def make(engine: str) -> Stage:
        if engine == "sqlite":
            return Stage.make(tmp_path / "server", names=2000)
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.database()
        url = database.__enter__()
        ends.append(lambda: database.__exit__(None, None, None))
        return Stage.make(tmp_path / "server", url, names=2000)

    yield make
    for end in ends:
        end()


def test_a_power_cut_loses_nothing_that_was_acknowledged() -> None:
    cuts = power_cuts(40, steps=30)
    assert cuts.acknowledged > 500
    assert broken(cuts) == []


@pytest.mark.parametrize("setting", ["OFF", "NORMAL"])
def test_a_store_that_does_not_wait_for_the_disk_is_found_out(setting: str) -> None:
    assert power_cuts(6, steps=12, synchronous=setting).lost > 0


@pytest.mark.parametrize(("engine", "points"), [("sqlite", 50), ("postgresql", 10)])
def test_a_killed_server_has_lost_nothing(stage: Make, engine: str, points: int, tmp_path: Path) -> None:
    result = kill_server(stage(engine), points, tmp_path / "log")
    assert broken(result) == []
    assert result.rounds == points
    assert result.cut_off > points // 4  # uploads were under way


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_server_that_is_told_to_stop_acknowledges_what_it_has(stage: Make, engine: str, tmp_path: Path) -> None:
    result = terminate_server(stage(engine), 5, tmp_path / "log")
    assert broken(result) == []
    assert result.cut_off > 0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_voucher_is_opened_once_whoever_is_killed(stage: Make, engine: str) -> None:
    result = kill_workers(stage(engine), 150, 12)
    assert broken(result) == []
    assert (result.jobs, result.kills, result.opened) == (150, 12, 30)


def test_a_full_disk_refuses_and_the_server_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        result = fill_disk(disk, Stage.make(disk.path / "server", names=2000), 6)
    assert broken(result) == []
    assert result.refused > 0
    assert result.acknowledged == 6 * 200


@pytest.mark.parametrize("of_log", [False, True])
def test_a_full_disk_of_the_database_server_loses_nothing_and_all_goes_on_when_there_is_room(
    tmp_path: Path, of_log: bool
) -> None:
    with postgres_on_a_small_disk(of_log=of_log) as (url, disk):
        result = fill_disk(disk, Stage.make(tmp_path / "server", url, names=2000), 3)
    assert broken(result) == []
    assert result.refused > 0
    assert result.acknowledged == 3 * 200


def test_a_database_that_restarts_loses_nothing(own_postgres: PostgresServer, tmp_path: Path) -> None:
    with own_postgres.database() as url:
        result = restart_database(own_postgres, Stage.make(tmp_path / "server", url, names=2000), 3)
    assert broken(result) == []
    assert result.acknowledged > 0


def test_a_killed_device_goes_on_where_it_was(tmp_path: Path) -> None:
    result = kill_device(Stage.make(tmp_path / "server", names=100), 6, tmp_path)
    assert broken(result) == []
    assert result.pictures == 48
