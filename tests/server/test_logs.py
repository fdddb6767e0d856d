"""Log lines: for people and for programs."""

import json
import logging
from datetime import datetime

import pytest

from tpsi_server.logs import LogForm, log_to_stderr


def logged(form: LogForm, capsys: pytest.CaptureFixture[str]) -> str:
    """What two lines look like, the second one with an error."""
    log = logging.getLogger("tpsi_server")
    before = log.handlers, log.level, log.propagate
    try:
        log_to_stderr(logging.INFO, form)
        logging.getLogger("tpsi_server.some.part").info("account %r\nwas added", "a\u2028b")
        try:
            raise ValueError("it is\nbroken")
        except ValueError:
            logging.getLogger("tpsi_server").exception("incident %s", "1f")
        logging.getLogger("tpsi_server").debug("not this one")
    finally:
        log.handlers, log.level, log.propagate = before
    return capsys.readouterr().err


def test_a_program_reads_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = logged(LogForm.JSON, capsys).split("\n")
    assert lines.pop() == ""
    first, second = (json.loads(line) for line in lines)
    assert first["level"] == "INFO"
    assert first["logger"] == "tpsi_server.some.part"
    assert first["message"] == "account 'a\\u2028b'\nwas added"
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert "ValueError: it is\nbroken" in second["error"]


def test_a_person_reads_a_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    text = logged(LogForm.TEXT, capsys)
    assert " INFO tpsi_server.some.part: account " in text
    assert " ERROR tpsi_server: incident 1f" in text
    assert "not this one" not in text
