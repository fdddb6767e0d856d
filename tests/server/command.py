"""`tpsi-server`, run in the tests' own process."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.server.site import Site
from tests.support.server_data import PASSPHRASE
from tpsi_server.cli import main

#: Exit status, stdout, stderr.
Result = tuple[int, str, str]
Run = Callable[..., Result]


@contextmanager
def running(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A block in which the command runs on the folder of a site, with its passphrase, on a terminal of long lines."""
    monkeypatch.setenv("TPSI_DATA", str(site.folder.path))
    monkeypatch.setenv("TPSI_PASSPHRASE", PASSPHRASE.reveal().decode())
    monkeypatch.setenv("COLUMNS", "1000")
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    try:
        yield call
    finally:
        signal.signal(signal.SIGTERM, handler)


def parsed(result: Result) -> Any:
    """What a command that went well printed as JSON."""
    assert result[0] == 0, result
    return json.loads(result[1])


def is_one_line(text: str) -> bool:
    """Whether an error was told as errors are."""
    return text.startswith("tpsi-server: ") and text.endswith("\n") and text.count("\n") == 1
