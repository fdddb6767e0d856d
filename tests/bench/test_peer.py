"""The peer: what happens when it cannot be installed, does not start, or stops in the middle."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench import peer_environment
from bench.document import document
from bench.errors import PeerUnavailableError
from bench.peer import NAME, Peer
from bench.peer_environment import peer_python
from bench.report import show
from bench.run import Asked, run
from bench.settings import QUICK, SUITES


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _environment(folder: Path, text: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    _script(folder / "bin" / "python", text)
    return folder


def test_an_environment_that_works_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_environment, "_run", lambda command: pytest.fail(f"{command} was run"))
    folder = _environment(tmp_path / "peer", "exit 0")
    assert peer_python(folder) == folder / "bin" / "python"


def test_an_environment_that_does_not_work_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _environment(tmp_path / "peer", "exit 1")
    commands: list[list[str]] = []

    def pretend(command: list[str]) -> None:
        commands.append(command)
        if "install" in command:
            _script(folder / "bin" / "python", "exit 0")

    monkeypatch.setattr(peer_environment, "_run", pretend)
    assert peer_python(folder) == folder / "bin" / "python"
    assert [("venv" in command, "install" in command) for command in commands] == [(True, False), (False, True)]
    assert commands[1][-1] == peer_environment.REQUIREMENT


def test_an_installation_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CalledProcessError(1, "pip", stderr="looking\nERROR: no matching distribution\n")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise refused

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(PeerUnavailableError, match="no matching distribution"):
        peer_python(tmp_path / "nothing")


def test_a_peer_that_does_not_start_gives_its_last_words(tmp_path: Path) -> None:
    python = _script(tmp_path / "python", "echo it is broken >&2; exit 3")
    with pytest.raises(PeerUnavailableError, match="it is broken"):
        Peer(python, 10, 5)


def test_a_peer_that_stops_in_the_middle_is_noticed(tmp_path: Path) -> None:
    python = _script(tmp_path / "python", """echo '{"version": "0", "setup_bytes": 350}'; read line; exit 3""")
    with Peer(python, 10, 5) as peer, pytest.raises(PeerUnavailableError, match="without a word"):
        peer.works()["seal"][NAME].sample()


def test_what_the_peer_measures_is_divided_by_its_items(tmp_path: Path) -> None:
    answers = """echo '{"version": "0", "setup_bytes": 350}'; while read line; do echo '{"seconds": 20}'; done"""
    with Peer(_script(tmp_path / "python", answers), 10, 5) as peer:
        seconds = {step: beside[NAME].seconds() for step, beside in peer.works().items()}
    assert seconds == {"blind and encode": 2.0, "seal": 4.0, "match": 4.0}


def test_a_run_without_its_peer_says_so_and_measures_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_folder: Path) -> Path:
        raise PeerUnavailableError("the registry was not reached")

    monkeypatch.setattr("bench.run.peer_python", refuse)
    setting = replace(QUICK, repeats=1, examined=())
    results = run(Asked(setting, [SUITES["ristretto255"]], ["fuse"], tmp_path), lambda *_told: None)
    shown = io.StringIO()
    show(results, Console(file=shown, width=120))
    assert f"{NAME} was not measured: the registry was not reached" in shown.getvalue()
    assert document(results)["peer"]["missing"] == "the registry was not reached"
    assert document(results)["compared"] == []
    assert {cost["operation"] for cost in document(results)["costs"]} >= {
        "blind",
        "encode",
        "blind and encode",
        "seal",
        "match",
    }


def test_the_peers_worker_imports_nothing_of_ours() -> None:
    lines = Path(peer_environment.__file__).with_name("peer_worker.py").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("from bench", "from tpsi", "import bench", "import tpsi"))]
