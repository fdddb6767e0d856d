"""The device's doctor: a sound device has no fault, and every fault is found and has something to do."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.certificates import Authority
from tests.client.conftest import HASTE
from tests.client.fake_server import FakeServer, enrolment
from tpsi_client import Device, Enrolment
from tpsi_client.cli import main
from tpsi_client.doctor import Finding, Level, examine_device


@pytest.fixture
def enrolled(home: Path, server: FakeServer, authority: Authority) -> Path:
    Device.enrol(home, Enrolment.decode(enrolment(server.address, authority)), patience=HASTE).close()
    return home


def examined(home: Path, *, online: bool = True, now: float | None = None) -> list[Finding]:
    async def run() -> list[Finding]:
        return [finding async for finding in examine_device(home, online=online, now=now)]

    return asyncio.run(run())


def faults(home: Path, **options: object) -> dict[str, str]:
    """What is wrong, by what was looked at."""
    found = [one for one in examined(home, **options) if one.level is Level.FAULT]  # type: ignore[arg-type]
    assert all(one.do for one in found), "every fault says what to do"
    return {one.check: one.says for one in found}


def test_a_sound_device_has_no_fault(enrolled: Path) -> None:
    assert faults(enrolled) == {}


def test_a_folder_without_a_device_is_said_to_be_one(home: Path) -> None:
    assert "no device is enrolled" in faults(home)["folder"]


def _table(home: Path) -> Path:
    (found,) = home.glob("table/*/table.bin")
    return found


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (lambda home: (home / "device.json").write_text("{}"), "folder"),
        (lambda home: _flip(home / "account.secret"), "folder"),
        (lambda home: (home / "account.secret").unlink(), "folder"),
        (lambda home: (home / "outbox.sqlite3").unlink(), "folder"),
        (lambda home: (home / "account.secret").chmod(0o644), "permissions"),
        (lambda home: home.chmod(0o755), "permissions"),
        (lambda home: _flip(_table(home)), "table"),
        (lambda home: _table(home).unlink(), "table"),
    ],
)
def test_every_damage_is_found(enrolled: Path, damage: Callable[[Path], object], check: str) -> None:
    damage(enrolled)
    assert check in faults(enrolled, online=False)


def test_a_server_that_is_gone_or_refuses_is_found(enrolled: Path, server: FakeServer) -> None:
    server.behaviour.token_reason = "TOKEN_REVOKED"
    assert "revoked" in faults(enrolled)["server"]
    server.__exit__()
    assert "nothing listens" in faults(enrolled)["server"]
    assert faults(enrolled, online=False) == {}


def test_a_clock_before_the_table_is_found(enrolled: Path) -> None:
    assert "clock" in faults(enrolled, online=False, now=0.0)


def test_the_command_says_it_and_ends_accordingly(
    enrolled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr("sys.argv", ["tpsi-device", "doctor", "--home", str(enrolled), *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().out

    status, output = run()
    assert (status, "ok     server: " in output) == (0, True)
    (enrolled / "account.secret").chmod(0o644)
    status, output = run("--offline", "--json")
    assert status == 1
    found = json.loads(output)
    assert [one["do"] for one in found if one["level"] == "fault"] == [f"chmod 600 {enrolled}/account.secret"]
