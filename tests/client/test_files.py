"""Files of a device and of an auditor, when two programs write one at the same time."""

import time
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from tpsi_client.errors import HomeError
from tpsi_client.files import alone, whole_file


def test_of_two_that_write_a_file_at_once_one_whole_content_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as first:
        first.write(b"a" * 10)
        with whole_file(path) as second:
            second.write(b"b" * 20)
        assert path.read_bytes() == b"b" * 20
        first.write(b"a" * 10)
    assert path.read_bytes() == b"a" * 20
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_of_two_that_make_a_new_file_at_once_the_second_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ExitStack() as stack:
        slow = stack.enter_context(whole_file(path, replace=False))
        slow.write(b"first to begin")
        with whole_file(path, replace=False) as quick:
            quick.write(b"first to end")
        with pytest.raises(HomeError, match="exists already"):
            stack.close()
    assert path.read_bytes() == b"first to end"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_program_waits_for_the_other_one_that_is_in_the_block(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with alone(tmp_path / "lock"):
            order.append("second")

    with alone(tmp_path / "lock"):
        thread = Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
