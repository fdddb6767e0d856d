"""What `--help` says: every verb has an example that can be typed, and no list of verbs is cut off."""

import re
import shlex
from collections.abc import Callable, Iterator
from importlib.metadata import version

import pytest
import typer
from typer.main import get_command

from tpsi_audit.cli import main as audit_main
from tpsi_audit.cli.app import app as audit
from tpsi_client.cli import main as device_main
from tpsi_client.cli.app import app as device
from tpsi_plan import main as plan_main
from tpsi_server.cli import main as server_main
from tpsi_server.cli.app import app as server


def tree(app: typer.Typer) -> Iterator[tuple[str, typer.Context]]:
    """All verbs of a program, and the groups that they are in, with what is typed to get there."""
    command = get_command(app)
    pending = [typer.Context(command, info_name=app.info.name)]
    while pending:
        context = pending.pop()
        yield context.command_path, context
        for name, below in getattr(context.command, "commands", {}).items():
            pending.append(typer.Context(below, parent=context, info_name=name))


TREE = dict(entry for app in (server, device, audit) for entry in tree(app))
VERBS = sorted(path for path, context in TREE.items() if not hasattr(context.command, "commands"))
GROUPS = sorted(set(TREE) - set(VERBS))


@pytest.mark.parametrize("path", VERBS)
def test_every_verb_has_an_example_of_itself(path: str) -> None:
    context = TREE[path]
    (example,) = re.findall(r"^ *Example: (.+)$", context.get_help(), re.MULTILINE)
    assert example.startswith(path)
    parser = context.command.make_parser(context)
    given, rest, _ = parser.parse_args(shlex.split(example)[len(path.split()) :])  # fails for an option that is none
    assert rest == []
    assert {option.name for option in context.command.params if option.required} <= set(given)


@pytest.mark.parametrize("program", [server_main, device_main, audit_main, plan_main])
def test_every_program_says_its_version(
    program: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["any", "--version"])
    with pytest.raises(SystemExit) as end:
        program()
    assert end.value.code in {0, None}
    name, told = capsys.readouterr().out.split()
    assert name.startswith("tpsi-")
    assert told == version("tpsi")


@pytest.mark.parametrize("path", GROUPS)
def test_no_line_of_a_list_of_verbs_is_cut_off(path: str) -> None:
    listed = TREE[path].get_help().split("\nCommands:\n")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
