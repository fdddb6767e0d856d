"""The README's Python runs, and its commands exist."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tpsi_client.cli.app import app as device
from tpsi_server.cli.app import app as server

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PROGRAMS = {"tpsi-server": server, "tpsi-device": device}
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
    program, *words = command.split()
    found: Any = get_command(PROGRAMS[program])
    while hasattr(found, "commands"):  # `list import` is two verbs deep, `build` one
        found = found.commands[words.pop(0)]
    known = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_files_that_the_readme_names_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target
