"""Under a flood honest uploads are taken; how long they take is measured by `python -m tests.service.overload`."""

from collections.abc import Iterator

import pytest

from tests.service.overload import FLOODS, Stage, compare, prepared
from tests.support.server_data import TestEpoch
from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, tokens = prepared(tmp_path_factory.mktemp("floods") / "data")
    with ServerProcess(folder, "--workers", "0") as process:
        yield Stage(process.served(), tokens, TestEpoch.read(folder))


@pytest.mark.parametrize("name", ["slow", "fields"])
def test_honest_uploads_are_taken_under_a_flood(stage: Stage, name: str) -> None:
    alone, under = compare(name, stage, 20, 0.3)
    assert alone.uploads >= 1
    assert under.uploads >= 1
    assert name in FLOODS
