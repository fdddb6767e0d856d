"""The recorded log: the library makes it, and an independent verifier accepts nothing else."""

import json
import random
from pathlib import Path

import pytest

from tests.vectors import generate
from tests.vectors.mutations import leaves, mutated
from tests.verifier import __main__ as command
from tests.verifier.canonical import RefusedError
from tests.verifier.transcript import WrongValueError
from tests.verifier.verify import verify

FILE = Path(generate.__file__).parent / generate.LOG


def test_the_committed_file_is_what_the_generator_makes() -> None:
    assert generate.contents(generate.LOG) == FILE.read_text("ascii"), "run python -m tests.vectors.generate"


def test_the_verifier_accepts_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(FILE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "log: 11 entries, 41 and 49 proofs: ok"
    assert len(lines) == 3


#: What is recorded as refused, or as no evidence, may be changed into something else that is none.
BINDING = {"entries", "roots", "inclusion", "consistency", "notices", "lists", "list", "server_key"}


def test_every_changed_value_is_found() -> None:
    data, choice = json.loads(FILE.read_text("ascii")), random.Random(3)
    paths = [path for path in leaves(data) if path[0] in BINDING or path[-1] in ("size", "proves", "accepted")]
    empty = [number for number, case in enumerate(data["consistency"]) if case["first"] == 0]  # begins every tree
    paths = [path for path in paths if path[0] != "consistency" or path[1] not in empty]
    for path in choice.sample(paths, 120):
        with pytest.raises((WrongValueError, ValueError, RefusedError)):
            list(verify(mutated(data, path, choice)))
