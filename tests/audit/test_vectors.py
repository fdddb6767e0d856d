"""The recorded audits: the library makes them, and an independent verifier accepts nothing else."""

import json
import random
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from tests.support.backends import BACKENDS
from tests.vectors import generate
from tests.vectors.mutations import Path as Place
from tests.vectors.mutations import mutated, sample, shape
from tests.verifier import __main__ as command
from tests.verifier.transcript import WrongValueError
from tests.verifier.verify import verify
from tpsi.audit import Reason

VECTORS = Path(generate.__file__).parent
NAMES = sorted(generate.AUDITS)


def read(name: str) -> Any:
    """A file of the vectors."""
    return json.loads((VECTORS / name).read_text("ascii"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_committed_files_are_what_the_generator_makes(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    assert generate.contents(name) == (VECTORS / name).read_text("ascii"), "run python -m tests.vectors.generate"


@pytest.mark.parametrize("name", NAMES)
def test_the_verifier_accepts_every_step(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(VECTORS / name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["audit: 12 items, 3 absent: ok", "audit: 0 items, 3 absent: ok"]
    assert re.fullmatch(r"audit cases: \d\d: ok", lines[2])


@pytest.mark.parametrize("name", NAMES)
def test_cases_show_every_reason_but_the_size_of_the_file(name: str) -> None:
    results = {case["result"] for case in read(name)["cases"]}
    assert results == {reason.value for reason in Reason} - {"TABLE_SIZE"} | {"ACCEPTED", "MALFORMED"}


def is_free(record: Any, path: Place) -> bool:
    """A change of what is refused anyway may go unnoticed; its result may not."""
    return path[0] == "cases" and path[-1] != "result" and record["cases"][path[1]]["result"] != "ACCEPTED"


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_every_changed_value_is_found_where_it_stands(number: int) -> None:
    """Each file is changed at one value of every fourth kind, so that together they show every kind."""
    record, choice = read(NAMES[number]), random.Random(number)
    paths = [path for path in sample(record, choice) if crc32(shape(path).encode()) % len(NAMES) == number]
    changed = [path for path in paths if not is_free(record, path)]
    assert changed
    for path in changed:
        with pytest.raises(WrongValueError) as caught:
            list(verify(mutated(record, path, choice)))
        section = path[0] if len(path) == 1 else f"{path[0]}[{path[1]}]"
        assert re.fullmatch(rf"{re.escape(str(section))}(\W.*)?", caught.value.path), path


def test_a_result_that_is_not_the_verifiers_is_found() -> None:
    record, choice = read(NAMES[0]), random.Random(3)
    for number in choice.sample(range(len(record["cases"])), 5):
        edited = mutated(record, ("cases", number, "result"), choice)
        with pytest.raises(WrongValueError, match=rf"^cases\[{number}\]\.result: recorded"):
            list(verify(edited))
