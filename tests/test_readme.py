"""The README's Python runs, and its commands exist."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.split("#")[0].strip(" &") for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def test_the_protocol_example_prints_what_its_comment_says() -> None:
    source = next(text for kind, text in BLOCKS if kind == "python" and "from tpsi import *" in text)
    stated = source.rstrip().splitlines()[-1].removeprefix("# ")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102
    assert printed.getvalue().strip() == stated


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("tpsi-")])
def test_every_command_and_option_exists(command: str) -> None:
    words = command.split()
    verbs = [word for word in words[1:] if re.fullmatch(r"[a-z]+", word)]
    options = [word for word in words if word.startswith("--")]
    program = "tpsi_server.cli" if words[0] == "tpsi-server" else "tpsi_client.cli"
    for depth in (2, 1):  # `list import` is two verbs deep, `build` one
        shown = subprocess.run(
            [sys.executable, "-c", f"from {program} import main; main()", *verbs[:depth], "--help"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        )
        if shown.returncode == 0:
            break
    assert shown.returncode == 0, shown.stderr
    assert [option for option in options if option not in shown.stdout] == []


def test_the_files_that_the_readme_names_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target
