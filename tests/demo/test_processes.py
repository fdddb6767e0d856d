"""Child processes: what fails is told in a sentence, and nothing outlives the block."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from examples.demo.errors import DemoError
from examples.demo.processes import Processes, interruptible
from examples.demo.waiting import until

SLEEP = "import sys, time; print('started', flush=True); time.sleep(600)"


def ended(number: int) -> bool:
    """Whether there is no process of this number any more."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_command_that_fails_is_named_with_its_last_words() -> None:
    with (
        Processes() as processes,
        pytest.raises(DemoError, match=r"^`python -c .*` failed: demo: no such thing$"),
    ):
        processes.run("python", "-c", "import sys; print('note', file=sys.stderr); sys.exit('demo: no such thing')")


def test_a_command_that_has_to_fail_and_does_not_is_an_error() -> None:
    with Processes() as processes:
        assert processes.refused("python", "-c", "import sys; sys.exit('python: I will not')") == "I will not"
        with pytest.raises(DemoError, match="should have failed, and ended with status 0"):
            processes.refused("python", "-c", "pass")


def test_a_program_that_is_not_installed_is_explained() -> None:
    with Processes() as processes, pytest.raises(DemoError, match="pip install"):
        processes.run("tpsi-nonsense")


def test_commands_get_their_own_settings_and_none_of_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_KEYS", "of somebody's real server")
    program = "import os; print(sorted(name for name in os.environ if name.startswith('TPSI')))"
    with Processes() as processes:
        printed = processes.run("python", "-c", program, environment={"TPSI_DATA": "here"})
    assert printed == "['TPSI_DATA']\n"


def test_leaving_the_block_stops_what_still_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Processes() as processes:
        process = processes.start("python", "-c", SLEEP, log=log)
        assert until(lambda: "started" in log.read_text())
    assert process.returncode == -signal.SIGTERM
    assert ended(process.pid)


def test_a_thread_that_waits_for_a_command_is_set_free_and_no_other_is_started() -> None:
    caught: list[BaseException] = []
    processes = Processes()

    def wait() -> None:
        try:
            processes.run("python", "-c", SLEEP)
        except DemoError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert until(lambda: processes.commands == 1)
    processes.stop_all()
    thread.join(20)
    assert not thread.is_alive()
    assert len(caught) == 1
    with pytest.raises(DemoError, match="was stopped"):
        processes.run("python", "-c", "pass")


def test_the_first_signal_interrupts_and_further_ones_do_not_disturb_the_cleaning_up() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    cleaned = False
    with interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned = True
    assert cleaned
    assert {number: signal.getsignal(number) for number in before} == before
