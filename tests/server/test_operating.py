"""The commands of docs/operating.md about backups, replicas, keys, retention and upgrades, run as they stand."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests.server.site import Site, vouchers
from tests.support.postgres import PostgresServer
from tests.support.server_data import PASSPHRASE
from tpsi_server.cli import main

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"
SECTIONS = (
    "Backups",
    "Several servers over one database",
    "Keys and how to replace them",
    "What is forgotten, and when",
    "Upgrades",
)


def commands(section: str) -> list[str]:
    """The lines of a section's shell blocks."""
    text = DOCUMENT.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[URL]:
    """An empty database."""
    with postgres.database() as made:
        yield made


def test_the_commands_do_what_they_are_said_to_do(
    template: Path, tmp_path: Path, url: URL, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TPSI_PASSPHRASE", PASSPHRASE.reveal().decode())
    monkeypatch.setenv("TPSI_NEW_PASSPHRASE", "")
    site = Site(Path(shutil.copytree(template, tmp_path / "srv")))
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, range(8)))
    ran = 0
    for section in SECTIONS:
        for line in commands(section):
            words = shlex.split(line.replace("postgresql://tpsi@db/tpsi", url.render_as_string()))
            if words[0] == "tpsi-server":
                with pytest.raises(SystemExit) as end:
                    main(words[1:])
                said = capsys.readouterr()
                assert not end.value.code, (line, said.out, said.err)
                ran += 1
            elif words[0] == "export":
                monkeypatch.setenv(*words[1].split("=", 1))
            else:
                subprocess.run(words, check=True)
    assert ran > 15
    with pytest.raises(SystemExit):
        main(["reveal", "show", "alice", "--data", "srv"])
    assert len(capsys.readouterr().out.splitlines()) == 9  # what was matched on a replica is read under the new keys
