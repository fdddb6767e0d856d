"""Two hundred histories, each beside the model; and that the simulation finds what is wrong, and makes it short.

`python -m tests.simulation` runs ten thousand, or as many as are asked for.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.simulation.__main__ import Stage
from tests.simulation.history import Event, Kind, drawn, shrunk
from tests.simulation.world import BrokenPromiseError
from tpsi_server.ingest import Ingest, Outcome

HISTORIES, SHARDS = 200, 4


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    memory = Path("/dev/shm")  # noqa: S108 (in memory)
    where = memory if memory.is_dir() else tmp_path_factory.mktemp("simulation")
    with TemporaryDirectory(dir=where) as folder:
        yield Stage(Path(folder))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_ends_as_the_model_says(stage: Stage, shard: int) -> None:
    for seed in range(shard, HISTORIES, SHARDS):
        stage.try_seed(seed)


def test_histories_have_everything_in_them() -> None:
    events = [event for seed in range(HISTORIES) for event in drawn(seed)]
    assert {event.kind for event in events} == set(Kind)
    assert drawn(7) == drawn(7) != drawn(8)


def test_a_voucher_that_is_acknowledged_and_lost_is_found_and_the_history_made_short(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that acknowledges the vouchers of a call of several, and stores all but one."""
    whole = Ingest.ingest

    def loses(self: Ingest, account: str, vouchers: Sequence[bytes]) -> list[Outcome]:
        if len(vouchers) < 2:
            return whole(self, account, vouchers)
        return [*whole(self, account, vouchers[:-1]), Outcome()]

    monkeypatch.setattr(Ingest, "ingest", loses)
    seed = next(seed for seed in range(50) if stage.fails(drawn(seed)))
    with pytest.raises(BrokenPromiseError, match=rf"history {seed}: ") as told:
        stage.try_seed(seed)
    steps = str(told.value).splitlines()[1:]
    assert 2 <= len(steps) <= 4, steps
    assert all(step.strip().startswith("seal") for step in steps)


def test_a_reveal_below_the_threshold_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.world.SHARING", type("More", (), {"threshold": 4}))
    events = [Event(Kind.SEAL, "alice", name) for name in range(4)]
    assert stage.fails(events)
    assert not stage.fails(events[:3])


def test_shrinking_leaves_what_is_needed() -> None:
    events = drawn(3)
    needed = [events[4], events[17], events[25]]

    def fails(some: Sequence[Event]) -> bool:
        left = list(some)
        return all(any(one is event for one in left) for event in needed)

    assert shrunk(events, fails) == needed
