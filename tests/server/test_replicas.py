"""Several servers over one PostgreSQL database, each with a data folder of its own."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import URL

from tests.server.site import LISTED, SHARING, ids, revealed, vouchers
from tests.support.postgres import PostgresServer
from tests.support.server_data import COST, PASSPHRASE, add_source
from tests.support.world import NO_COVER, md5
from tpsi import Role, SignedManifest, sign_manifest
from tpsi.detached import DetachedSignature
from tpsi_server import DataError, DataFolder, Reason, RefusedError, Runtime, Store
from tpsi_server.auditing import accept
from tpsi_server.cli import main
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.errors import OperatorError
from tpsi_server.keys import KeyRing
from tpsi_server.setup import set_up
from tpsi_server.store import describe


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[URL]:
    """An empty database."""
    with postgres.database() as made:
        yield made


@pytest.fixture
def first(url: URL, tmp_path: Path) -> DataFolder:
    """The folder of the first replica, with one epoch."""
    place = DataFolder.at(tmp_path / "first")
    set_up(replace(place, database_at=url.render_as_string()), "a test list", PASSPHRASE, cost=COST)
    with Store.open(place.location) as store:
        add_source(store, "names", map(md5, LISTED))
        store.accounts.add("alice", 1.0)
    build(place)
    return place


def build(folder: DataFolder) -> None:
    with Store.open(folder.location) as store:
        ring = KeyRing(folder.keys, PASSPHRASE, cost=COST)
        Builder(folder, store, ring, processes=1).build(BuildOptions(SHARING, NO_COVER))


def copied(folder: DataFolder, name: str) -> DataFolder:
    """A replica's folder, copied as it lies there."""
    target = folder.path.with_name(name)
    shutil.copytree(folder.path, target, dirs_exist_ok=True)
    return DataFolder.at(target)


def test_the_database_is_written_down_without_a_password(first: DataFolder, url: URL) -> None:
    written = json.loads(first.server_file.read_text())["database"]
    assert written == describe(url)
    assert not first.database.exists()
    secret = replace(first, database_at=None)
    secret.use_database(url.set(password="a-secret"))
    assert "a-secret" not in first.server_file.read_text()


def test_what_comes_in_at_one_replica_is_matched_at_another(first: DataFolder) -> None:
    second = copied(first, "second")
    with Runtime(first, PASSPHRASE, workers=0) as one, Runtime(second, PASSPHRASE, workers=0) as other:
        data = vouchers(one, range(6))
        assert all(outcome.stored for outcome in one.ingest.ingest("alice", data))
        assert all(outcome.already for outcome in other.ingest.ingest("alice", data))
        assert other.match_all().matched == 6
        assert one.match_all().matched == 0
        assert revealed(one) == {str(number).encode() for number in range(6)}
        assert other.store.check() == []


def test_an_epoch_appears_on_every_replica_once_its_folder_is_there(first: DataFolder) -> None:
    second = copied(first, "second")
    with Runtime(second, PASSPHRASE, workers=0) as other:
        build(first)
        with Runtime(first, PASSPHRASE, workers=0) as one:
            data = vouchers(one, range(4))
            digest = one.tables.newest().manifest.digest
        calls: list[Callable[[], object]] = [
            other.tables.newest,
            lambda: other.tables.by_number(2),
            lambda: other.tables.by_digest(digest),
            lambda: other.ingest.ingest("alice", data),
        ]
        for call in calls:  # devices try again, and refuse an older table: nobody is given that, or loses a voucher
            with pytest.raises(RefusedError) as caught:
                call()
            assert caught.value.reason is Reason.TABLE_NOT_HERE
        copied(first, "second")
        assert other.tables.newest().number == 2
        assert other.tables.by_digest(digest).number == 2
        other.ingest.ingest("alice", data)
        assert other.match_all().matched == 4
        assert len(ids(data)) == 4


def test_what_one_replica_publishes_is_what_the_next_call_to_another_one_gives(first: DataFolder) -> None:
    """Over one folder of tables, or one that was copied in time: no device sees an older table after a newer one."""
    second = copied(first, "second")
    shutil.rmtree(second.tables)
    second.tables.symlink_to(first.tables)
    with Runtime(first, PASSPHRASE, workers=0) as one, Runtime(second, PASSPHRASE, workers=0) as other:
        for number in (2, 3, 4):
            assert other.tables.newest().number == number - 1
            build(first)
            digest = one.tables.newest().manifest.digest
            assert other.tables.by_digest(digest).number == number
            assert other.tables.newest().manifest.digest == digest
            key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
            signature = sign_manifest(other.tables.newest().manifest, Role.AUDITOR, key)
            accept(first, one.store, DetachedSignature(digest, signature).encode())
            assert other.tables.newest().signed_manifest == one.tables.newest().signed_manifest
            assert len(SignedManifest.decode(other.tables.newest().signed_manifest).signatures) == 2


def test_a_replica_without_the_table_of_an_epoch_does_not_start(first: DataFolder) -> None:
    second = copied(first, "second")
    build(first)
    with pytest.raises(DataError, match=r"manifest\.json is missing"):
        Runtime(second, PASSPHRASE, workers=0)


def test_two_replicas_do_not_build_at_the_same_time(first: DataFolder) -> None:
    second = copied(first, "second")
    with Store.open(first.location) as store, store.alone("build"), pytest.raises(OperatorError, match="replica"):
        build(second)


def test_a_server_is_set_up_on_a_database_by_the_command(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TPSI_PASSPHRASE", PASSPHRASE.reveal().decode())
    monkeypatch.setenv("TPSI_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    status, out, _ = run("init", "--name", "x", "--database", url.render_as_string())
    assert (status, describe(url) in out) == (0, True)
    status, out, _ = run("database", "status", "--json")
    assert json.loads(out)["current"]
    assert run("database", "check")[:2] == (0, "the database is sound\n")
    assert run("database", "migrate")[:2] == (0, "nothing to do\n")
    assert run("status")[0] == 0
    monkeypatch.setenv("TPSI_DATABASE", "postgresql://nobody:a-secret@127.0.0.1:1/none")
    status, _, err = run("status")
    assert status == 1
    assert "cannot be reached" in err
    assert "a-secret" not in err
    monkeypatch.delenv("TPSI_DATABASE")
    monkeypatch.setenv("TPSI_DATA", str(tmp_path / "other"))
    status, _, err = run("init", "--name", "x", "--database", url.render_as_string())
    assert (status, "already" in err) == (1, True)
    assert not (tmp_path / "other" / "keys" / "server.key").exists()
