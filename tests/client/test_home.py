"""The device's folder: one process at a time, and damaged, missing or foreign files said plainly."""

import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.client.conftest import HASTE
from tpsi import CallerError
from tpsi_client import Device, HomeError, LockedError, NotEnrolledError
from tpsi_client.home import Home, HomeLock, default_home

Enrol = Callable[..., Device]

HOLDER = """
import sys
from pathlib import Path
from tpsi_client.home import Home, HomeLock
lock = HomeLock(Home(Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def left(enrol: Enrol, home: Path, folder: Path) -> Path:
    """The folder of a device that has sealed twelve pictures, and is closed."""
    device = enrol()
    device.scan(folder)
    device.close()
    return home


class TestLock:
    def test_a_second_process_is_told_who_holds_the_folder(self, left: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(left)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(LockedError, match=rf"another process \(number {other.pid}\).*wait until"):
                Device.open(left)
            with Device.open(left, read_only=True) as watcher:
                assert watcher.status().queued == 12
            other.kill()
        with Device.open(left) as device:  # a killed process leaves no lock behind
            assert device.status().queued == 12

    def test_a_second_device_object_is_kept_out_as_well(self, left: Path) -> None:
        with Device.open(left), pytest.raises(LockedError):
            Device.open(left)
        Device.open(left).close()

    def test_a_lock_can_be_released_twice(self, tmp_path: Path) -> None:
        lock = HomeLock(Home(tmp_path))
        lock.release()
        lock.release()
        HomeLock(Home(tmp_path)).release()

    def test_nothing_can_be_changed_through_a_device_opened_for_reading(self, left: Path, folder: Path) -> None:
        with Device.open(left, read_only=True) as device:
            for attempt in (
                device.upload,
                device.fetch,
                device.rescan,
                lambda: device.scan(folder),
                lambda: device.export(left / "file"),
                lambda: device.pin(lowest_threshold=1),
            ):
                with pytest.raises(CallerError, match="read-only"):
                    attempt()


class TestDamaged:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"\xff" * 100,
            b'{"tpsi_device": 2}',
            b'{"tpsi_device": 1}',
            b"x" * 2_000_000,
        ],
        ids=["empty", "cut", "list", "binary", "newer", "bare", "huge"],
    )
    def test_device_json(self, left: Path, content: bytes) -> None:
        (left / "device.json").write_bytes(content)
        with pytest.raises(HomeError, match=r"device.json") as caught:
            Device.open(left)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("lowest_threshold", 0),
            ("size_class", 24),
            ("modes", ["other"]),
            ("modes", []),
            ("modes", [["replace"]]),
            ("trusts_separation", 1),
            ("auditor_keys", ["00"]),
            ("account", ""),
            ("server", "somewhere"),
            ("ca", "no certificate"),
        ],
    )
    def test_a_member_of_device_json(self, left: Path, member: str, value: object) -> None:
        content = json.loads((left / "device.json").read_text())
        (left / "device.json").write_text(json.dumps(content | {member: value}))
        with pytest.raises(HomeError, match=r"is damaged .*enrol again"):
            Device.open(left)

    @pytest.mark.parametrize("content", [b"", b"tpsi-account-secret-1:00:00:00", b"\xff\xfe\x00", b"x" * 5000])
    def test_the_account_secret(self, left: Path, content: bytes) -> None:
        (left / "account.secret").write_bytes(content)
        with pytest.raises(HomeError, match=r"account.secret"):
            Device.open(left)

    def test_the_account_secret_with_one_digit_changed(self, left: Path) -> None:
        text = (left / "account.secret").read_text()
        place = len("tpsi-account-secret-1:") + 40
        digit = "0" if text[place] != "0" else "1"
        (left / "account.secret").write_text(text[:place] + digit + text[place + 1 :])
        with pytest.raises(HomeError, match=r"account.secret is damaged"):
            Device.open(left)

    def test_an_outbox_that_is_no_database(self, left: Path) -> None:
        (left / "outbox.sqlite3").write_bytes(b"not a database at all" * 100)
        with pytest.raises(HomeError, match=r"outbox.sqlite3 is damaged; restore it"):
            Device.open(left)

    @pytest.mark.parametrize("damage", ["all but the first page", "the settings"])
    def test_an_outbox_that_is_refused_is_not_left_open(self, left: Path, damage: str) -> None:
        """Or it would stay locked, until somebody clears up, for whoever puts a backup in its place."""
        path = left / "outbox.sqlite3"
        if damage == "the settings":
            with sqlite3.connect(path) as database:
                database.execute("UPDATE setting SET value = CAST(x'ff' AS TEXT)")
            database.close()
        else:
            size = path.stat().st_size
            os.truncate(path, 4096)
            os.truncate(path, size)
        gc.disable()
        try:
            with pytest.raises(HomeError, match=r"outbox.sqlite3"):
                Device.open(left)
            assert [file.path for file in psutil.Process().open_files() if "outbox" in file.path] == []
        finally:
            gc.enable()

    def test_an_outbox_of_another_layout(self, left: Path) -> None:
        with sqlite3.connect(left / "outbox.sqlite3") as database:
            database.execute("PRAGMA user_version = 7")
        database.close()
        with pytest.raises(HomeError, match="has layout 7, this program knows layout 1"):
            Device.open(left)

    def test_a_failed_opening_leaves_no_lock(self, left: Path) -> None:
        content = (left / "device.json").read_bytes()
        (left / "device.json").write_bytes(b"")
        with pytest.raises(HomeError):
            Device.open(left)
        (left / "device.json").write_bytes(content)
        Device.open(left).close()


class TestMissing:
    def test_no_device_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(NotEnrolledError, match="tpsi-device enrol FILE"):
            Device.open(tmp_path / "nowhere")
        assert not (tmp_path / "nowhere").exists()

    def test_the_account_secret(self, left: Path) -> None:
        (left / "account.secret").unlink()
        with pytest.raises(HomeError, match=r"no account secret at .*; restore the device's whole folder"):
            Device.open(left)

    def test_the_memory(self, left: Path) -> None:
        """A device without its memory must not go on as if it had sealed nothing."""
        (left / "outbox.sqlite3").unlink()
        with pytest.raises(HomeError, match=r"memory is missing.*a second time"):
            Device.open(left)
        assert not (left / "outbox.sqlite3").exists()

    def test_the_table(self, left: Path) -> None:
        shutil.rmtree(left / "table")
        with Device.open(left, patience=HASTE) as device:
            assert (device.status().epoch, device.status().table_complete) == (None, False)
            with pytest.raises(HomeError, match="tpsi-device fetch"):
                device.queue([])


class TestForeign:
    """Files of two devices in one folder: vouchers would be sealed under the wrong keys, or in the wrong name."""

    @pytest.fixture
    def other(self, enrol: Enrol, tmp_path: Path) -> Path:
        enrol(where=tmp_path / "other").close()
        return tmp_path / "other"

    def test_the_secret_of_another_device(self, left: Path, other: Path) -> None:
        shutil.copy(other / "account.secret", left / "account.secret")
        with pytest.raises(HomeError, match="belongs to another account secret"):
            Device.open(left)

    def test_the_configuration_of_another_account(self, left: Path) -> None:
        content = json.loads((left / "device.json").read_text())
        (left / "device.json").write_text(json.dumps(content | {"account": "bob"}))
        with pytest.raises(HomeError, match="belongs to another account, list or server"):
            Device.open(left)

    def test_the_secret_of_another_list(self, left: Path) -> None:
        content = json.loads((left / "device.json").read_text())
        (left / "device.json").write_text(json.dumps(content | {"list": "ff" * 16}))
        with pytest.raises(HomeError, match="made for another list"):
            Device.open(left)


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TPSI_HOME", str(tmp_path / "there"))
    assert default_home() == tmp_path / "there"
    monkeypatch.delenv("TPSI_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_home().name == "tpsi"
