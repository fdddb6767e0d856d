"""Two hundred short histories, and flaws that histories have to find; `python -m tests.simulation` plays more."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.campaign import attempt, simulate
from tests.simulation.flaws import FLAWS, Flaw
from tests.simulation.steps import Step, draw_steps, shrink
from tests.support.postgres import PostgresServer

#: Steps of a history here, and histories of one test.
SHORT, SHARE = 12, 50
#: Histories in which a flaw has to show, their steps, and the seed of the first.
BOUND, LONG, FIRST = 40, 24, 0


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the server says about faults that are meant is of no interest."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("share", range(4))
def test_every_history_keeps_the_promises(share: int) -> None:
    result = simulate(SHARE, share * SHARE, length=SHORT)
    assert result.failure is None, str(result.failure)
    assert result.histories == SHARE
    assert result.steps["upload"] > SHARE // 2


def test_on_postgresql_too(postgres: PostgresServer) -> None:
    result = simulate(4, 1000, postgres=postgres, length=SHORT)
    assert result.failure is None, str(result.failure)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_is_found(flaw: Flaw) -> None:
    result = simulate(BOUND, FIRST, flaw, length=LONG, shrinking=False)
    assert result.failure is not None


def test_a_failure_comes_again_from_its_seed_and_shrinks() -> None:
    flaw = next(flaw for flaw in FLAWS if "deletes before" in flaw.name)
    failure = simulate(BOUND, 0, flaw, length=SHORT).failure
    assert failure is not None
    steps = draw_steps(failure.seed, SHORT)
    again = [str(attempt(steps, failure.seed, flaw)) for _ in range(2)]
    assert again[0] == again[1] != "None"
    assert 1 <= len(failure.steps) <= 4
    assert "seal" in {step.verb for step in failure.steps}
    assert f"--seed {failure.seed}" in str(failure)


def test_shrinking_leaves_what_is_needed() -> None:
    steps = [Step("seal", number) for number in range(30)]
    assert shrink(steps, lambda some: {steps[3], steps[20]} <= set(some)) == [steps[3], steps[20]]
