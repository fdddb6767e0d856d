"""The server's doctor: a sound server has no fault, and every fault is found, named, and has something to do."""

import json
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.server.command import Run
from tests.server.site import Site
from tests.support.server_data import PASSPHRASE, TestEpoch, copy_data_folder, make_data_folder
from tpsi import Secret
from tpsi_server import DataFolder, Role, Runtime
from tpsi_server.doctor import Level, examine_server
from tpsi_server.keys import SIGNING_KEY_FILE, KeyRing
from tpsi_server.tables import TABLE_FILE, epoch_folder
from tpsi_server.tls import development_tls

NEWEST = 3
TOO_LATE = timedelta(days=400)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    made = make_data_folder(tmp_path_factory.mktemp("template") / "data")
    development_tls(made.tls, ("localhost",), datetime.now(UTC))
    return made


@pytest.fixture
def folder(whole: DataFolder, tmp_path: Path) -> DataFolder:
    return copy_data_folder(whole, tmp_path / "data")


def faults(folder: DataFolder, passphrase: Secret | None = PASSPHRASE, **options: object) -> dict[str, str]:
    """What is wrong, by what was looked at."""
    found = list(examine_server(folder, passphrase, **options))  # type: ignore[arg-type]
    for finding in found:
        assert finding.says
        assert finding.do or finding.level is not Level.FAULT, "every fault says what to do"
        assert "\n" not in finding.says
    return {finding.check: f"{finding.says} → {finding.do}" for finding in found if finding.level is Level.FAULT}


def test_a_sound_server_has_no_fault(folder: DataFolder) -> None:
    assert faults(folder) == {}
    assert faults(folder, None) == {}


Damage = Callable[[DataFolder], object]


def _not_set_up(folder: DataFolder) -> None:
    folder.server_file.unlink()


def _cut_table(folder: DataFolder) -> None:
    path = epoch_folder(folder, NEWEST) / TABLE_FILE
    path.write_bytes(path.read_bytes()[:-1])


def _flip_table(folder: DataFolder) -> None:
    path = epoch_folder(folder, NEWEST) / TABLE_FILE
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def _other_schema(folder: DataFolder) -> None:
    with sqlite3.connect(folder.database) as connection:
        connection.execute("UPDATE tpsi_schema SET version_num = 'r9999'")
    connection.close()


def _damaged_database(folder: DataFolder) -> None:
    data = bytearray(folder.database.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    folder.database.write_bytes(data)


def _other_signing_key(folder: DataFolder) -> None:
    (folder.keys / SIGNING_KEY_FILE).unlink()
    KeyRing(folder.keys, PASSPHRASE).create_signing_key(folder.identity().list_id)


def _limits(folder: DataFolder) -> None:
    value = json.loads(folder.server_file.read_bytes()) | {"limits": {"vouchers": "many"}}
    folder.server_file.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("damage", "check", "says"),
    [
        (_not_set_up, "data folder", "tpsi-server init"),
        (_limits, "data folder", "limits"),
        (lambda f: (f.keys / SIGNING_KEY_FILE).chmod(0o644), "permissions", "chmod 600"),
        (lambda f: f.keys.chmod(0o755), "permissions", "chmod 700"),
        (lambda f: f.database.chmod(0o640), "permissions", "chmod 600"),
        (lambda f: (f.keys / SIGNING_KEY_FILE).unlink(), "keys", "is missing"),
        (_other_signing_key, "keys", "not the key that devices have pinned"),
        (lambda f: f.database.unlink(), "database", "no database"),
        (_other_schema, "database", "r9999"),
        (_damaged_database, "database", "database"),
        (_cut_table, f"epoch {NEWEST}", "restore"),
        (_flip_table, f"epoch {NEWEST}", "restore"),
        (lambda f: shutil.rmtree(epoch_folder(f, NEWEST)), f"epoch {NEWEST}", "restore"),
        (lambda f: [p.unlink() for p in f.keys.glob(f"epoch-{NEWEST}-*")], f"epoch {NEWEST}", "key"),
        (lambda f: (f.tls / "server.pem").write_bytes(b"nonsense"), "certificate", "not a certificate"),
    ],
)
def test_every_damage_is_found(folder: DataFolder, damage: Damage, check: str, says: str) -> None:
    damage(folder)
    found = faults(folder)
    assert check in found, found
    assert says in found[check]


def test_a_wrong_passphrase_is_found(folder: DataFolder) -> None:
    found = faults(folder, Secret(b"not this one"))
    assert "passphrase" in found["passphrase"]
    assert "not this one" not in json.dumps(found)


@pytest.mark.parametrize(("shift", "check"), [(TOO_LATE, "certificate"), (timedelta(days=-1000), "clock")])
def test_time_makes_faults(folder: DataFolder, shift: timedelta, check: str) -> None:
    assert check in faults(folder, now=(datetime.now(UTC) + shift).timestamp())


def test_vouchers_that_nobody_matches_are_found(folder: DataFolder) -> None:
    with Runtime(folder) as runtime:
        runtime.accounts.create("alice")
        runtime.accounts.issue(Role.DEVICE, "alice")
        runtime.ingest.ingest("alice", TestEpoch.read(folder).seal(range(2)))
    assert faults(folder) == {}
    assert "matching" not in faults(folder, now=time.time() + 7200), "a timer may match them"
    assert "2 vouchers wait" in faults(folder, now=time.time() + 27 * 3600)["matching"]


def test_a_full_disk_is_found(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12, 1000))
    assert "make room" in faults(folder)["disk"]


def test_an_address_that_cannot_be_listened_on_is_found(folder: DataFolder) -> None:
    assert "port" in faults(folder, host="192.0.2.1", port=50051)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = list(examine_server(folder, None, port=taken.getsockname()[1]))
    assert [finding.level for finding in found if finding.check == "port"] == [Level.NOTE]


def test_the_command_says_it_and_ends_accordingly(run: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    status, output, errors = run("doctor", "--port", "1")
    assert errors == ""
    assert "passphrase: it opens the signing key" in output
    monkeypatch.delenv("TPSI_PASSPHRASE")
    site.folder.keys.chmod(0o777)
    status, output, errors = run("doctor", "--json")
    assert (status, errors) == (1, "")
    found = {(one["check"], one["level"]) for one in json.loads(output)}
    assert ("permissions", "fault") in found
    assert ("passphrase", "note") in found
