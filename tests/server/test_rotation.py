"""Rotating data keys and the passphrase with the command, and what interrupts it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.server.command import Run, is_one_line, parsed
from tests.server.site import Site, vouchers
from tests.support.server_data import COST, PASSPHRASE
from tpsi import Secret
from tpsi_server import KeyFileError, PassphraseError, keyfile
from tpsi_server import files as files_of_the_server
from tpsi_server.keyfile import read_key_file
from tpsi_server.passphrase import new_passphrase
from tpsi_server.rotation import change_all_passphrases
from tpsi_server.store import DataKeyStore
from tpsi_server.store.schema import opened

NEW = Secret(b"another passphrase")


@pytest.fixture
def revealed_site(run: Run, site: Site) -> Site:
    """A server with something revealed of alice."""
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
        assert runtime.match_all().revealed == 5
    return site


def test_rotate_and_retire(run: Run, revealed_site: Site) -> None:
    assert [(one["number"], one["cells"]) for one in parsed(run("keys", "list", "--json"))] == [(1, 16)]
    rotated = parsed(run("keys", "rotate", "--json"))
    assert rotated == {"number": 2, "cells": 16, "resumed": False, "damaged": 0}
    assert len(parsed(run("reveal", "show", "alice", "--json"))) == 5
    assert run("keys", "retire", 2, "--yes")[0] == 1
    assert run("keys", "retire", 1, "--yes")[0] == 0
    assert not (revealed_site.folder.keys / "data-1.key").exists()
    lines = run("keys", "list")[1].splitlines()
    assert "retired" in lines[1]
    assert lines[2].split()[-3:] == ["use", "16", "here"]
    assert len(parsed(run("reveal", "show", "alice", "--json"))) == 5


def test_an_interrupted_rotation_is_resumed_by_the_same_command(
    run: Run, revealed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reseal = DataKeyStore.reseal

    def interrupted(self: DataKeyStore, position: tuple[int, int] = (0, 0)) -> Any:
        if position != (0, 0):
            raise KeyboardInterrupt
        return reseal(self, position)

    with monkeypatch.context() as patch:
        patch.setattr(DataKeyStore, "reseal", interrupted)
        assert run("keys", "rotate")[0] == 130
    status, _, err = run("keys", "retire", 1, "--yes")
    assert (status, is_one_line(err), "tpsi-server keys rotate" in err) == (1, True, True)
    done = parsed(run("keys", "rotate", "--json"))
    assert (done["number"], done["resumed"]) == (2, True)
    assert run("keys", "retire", 1, "--yes")[0] == 0


def test_a_damaged_cell_stops_no_rotation(run: Run, revealed_site: Site) -> None:
    with revealed_site.store() as store, store._database.write() as connection:
        connection.execute(update(opened).where(opened.c.voucher == 1).values(share=b"\0\0\0\1" + bytes(60)))
    for number in (2, 3):  # and is not taken for a rotation that was interrupted
        done = parsed(run("keys", "rotate", "--json"))
        assert (done["number"], done["resumed"], done["damaged"]) == (number, False, 1)
    assert run("keys", "retire", 2, "--yes")[0] == 0
    assert "1 cells are damaged" in run("keys", "rotate")[2]


def test_a_prepared_key_is_the_one_that_is_taken(run: Run, revealed_site: Site) -> None:
    status, out, _ = run("keys", "rotate", "--prepare")
    assert (status, "copy it to all replicas" in out) == (0, True)
    assert run("keys", "rotate", "--prepare")[0] == 0
    before = (revealed_site.folder.keys / "data-2.key").read_bytes()
    assert parsed(run("keys", "rotate", "--json"))["number"] == 2
    assert (revealed_site.folder.keys / "data-2.key").read_bytes() == before
    assert not (revealed_site.folder.keys / "data-3.key").exists()


def test_a_server_whose_key_file_is_missing_says_which(run: Run, revealed_site: Site) -> None:
    (revealed_site.folder.keys / "data-1.key").unlink()
    status, _, err = run("reveal", "show", "alice")
    assert (status, is_one_line(err)) == (1, True)
    assert "data-1.key is missing" in err


def test_a_running_server_takes_the_new_key(run: Run, revealed_site: Site) -> None:
    with revealed_site.runtime() as runtime:
        assert len(list(runtime.store.reveals.of_account("alice"))) == 5
        assert run("keys", "rotate")[0] == 0
        runtime.ingest.ingest("alice", vouchers(runtime, range(10, 15), seed="more"))
        assert runtime.match_all().matched == 5
        assert len(list(runtime.store.reveals.of_account("alice"))) == 10
    assert [(one["number"], one["cells"]) for one in parsed(run("keys", "list", "--json"))] == [(1, 0), (2, 31)]


def test_all_key_files_get_another_passphrase(run: Run, revealed_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_NEW_PASSPHRASE", NEW.reveal().decode())
    status, out, _ = run("keys", "passphrase")
    assert (status, out) == (0, "3 key files are encrypted under the new passphrase\n")
    status, _, err = run("reveal", "show", "alice")
    assert (status, "the passphrase is not the one" in err) == (1, True)
    monkeypatch.setenv("TPSI_PASSPHRASE", NEW.reveal().decode())
    assert run("reveal", "show", "alice")[0] == 0
    assert run("build")[0] == 0


class TestPassphrase:
    @pytest.fixture
    def files(self, site: Site) -> list[Path]:
        return sorted(site.folder.keys.glob("*.key"))

    def contents(self, files: list[Path], passphrase: Secret) -> list[Any]:
        return [read_key_file(file, json.loads(file.read_bytes())["kind"], passphrase) for file in files]

    def test_the_secrets_stay_the_same(self, site: Site, files: list[Path]) -> None:
        before = self.contents(files, PASSPHRASE)
        assert change_all_passphrases(site.folder.keys, PASSPHRASE, NEW, cost=COST) == len(files) == 3
        assert self.contents(files, NEW) == before
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        with pytest.raises(KeyFileError, match="passphrase is not the one"):
            self.contents(files, PASSPHRASE)

    def test_interrupted_it_goes_on(self, site: Site, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.contents(files, PASSPHRASE)
        write: Callable[..., None] = files_of_the_server.write_atomically
        calls = iter(range(10))

        def failing(path: Path, data: bytes, **options: bool) -> None:
            if next(calls) == 1:
                raise OSError("the disk is full")
            write(path, data, **options)

        with monkeypatch.context() as patch:
            patch.setattr(keyfile, "write_atomically", failing)
            with pytest.raises(OSError, match="full"):
                change_all_passphrases(site.folder.keys, PASSPHRASE, NEW, cost=COST)
        assert change_all_passphrases(site.folder.keys, PASSPHRASE, NEW, cost=COST) == 2
        assert self.contents(files, NEW) == before

    def test_nothing_is_written_if_one_does_not_open(self, site: Site, files: list[Path]) -> None:
        change_all_passphrases(site.folder.keys, PASSPHRASE, NEW, cost=COST)
        before = [file.read_bytes() for file in files]
        with pytest.raises(KeyFileError, match="passphrase is not the one"):
            change_all_passphrases(site.folder.keys, Secret(b"wrong"), Secret(b"newer"), cost=COST)
        assert [file.read_bytes() for file in files] == before

    def test_the_new_one_is_not_taken_from_the_old_ones_place(self) -> None:
        with pytest.raises(PassphraseError, match="TPSI_NEW_PASSPHRASE"):
            new_passphrase(environment={"TPSI_PASSPHRASE": "old"})
        assert new_passphrase(environment={"TPSI_NEW_PASSPHRASE": "new"}) == Secret(b"new")
