"""docs/auditing.md, run as it stands."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "auditing.md").read_text("utf-8")
PORT = "50071"


def free_port() -> str:
    """A port that is free, and that no other program is given unless it asks for just this one."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("localhost", port))
            return str(port)
    raise AssertionError("no port is free")


def test_the_commands_of_the_document_do_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    script = "set -e\n" + "\n".join(blocks).replace(PORT, free_port())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TPSI_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=600)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said
    for line in (
        "it holds exactly the 101 hashes that your copies of the lists of 2 sources give",
        "clinic has signed its list",
        "1 of 1 must have signed the table",
        "None of the 50 named hashes is in the table",
        "what alice.checkpoint has seen (2 entries) is the beginning of it",
        "accounts are told of a reveal 30 days after it",
        "each of 0 revealed vouchers has its commitment in the log",
    ):
        assert line in said, f"{line!r} is not in:\n{said}"
