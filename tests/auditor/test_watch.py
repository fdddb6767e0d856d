"""`tpsi-audit watch`: an honest server, and one that shows two devices two histories."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.auditor.conftest import CLINIC, OPTIONS, POLICE, Run, builder
from tests.support.server_data import PASSPHRASE, add_source, copy_data_folder
from tests.support.serving import ServerThread, serving
from tests.support.world import md5
from tpsi import VerificationError
from tpsi.log import Fork
from tpsi.parameters import SyntheticMode
from tpsi_client import Choices, Device
from tpsi_client.service import Service
from tpsi_server import DataFolder, Role, Runtime, Store, TlsOptions
from tpsi_server.enrolment import Enrolment
from tpsi_server.tls import ServerTls, server_tls

NO_COVER_ACCEPTED = Choices(modes=tuple(SyntheticMode))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTls:
    made = server_tls(TlsOptions(), tmp_path_factory.mktemp("tls") / "tls", "127.0.0.1")
    assert made is not None
    return made


@dataclass(frozen=True)
class Site:
    """A running server, and its files for those who talk to it."""

    runtime: Runtime
    server: ServerThread

    def access(self, path: Path, role: Role = Role.AUDITOR, account: str = "auditor") -> Path:
        """An access file for an auditor, or an enrolment file for a device."""
        served = self.server.served
        assert served.ca is not None
        if role is Role.DEVICE and self.runtime.store.accounts.find(account) is None:
            self.runtime.accounts.create(account)
        token = self.runtime.accounts.issue(role, account if role is Role.DEVICE else None).token
        authority = served.ca.decode()
        Enrolment(served.address, authority, self.runtime.identity, account, token, None).write(path)
        return path

    def device(self, home: Path, account: str) -> Device:
        """A device that is enrolled here."""
        home.mkdir()
        path = self.access(home / "enrolment.json", Role.DEVICE, account)
        return Device.enrol(home / "home", path, NO_COVER_ACCEPTED)


@contextmanager
def running(folder: DataFolder, tls: ServerTls) -> Iterator[Site]:
    with Runtime(folder, PASSPHRASE, workers=0) as runtime, serving(runtime, tls) as server:
        yield Site(runtime, server)


@pytest.fixture
def site(data: DataFolder, tls: ServerTls) -> Iterator[Site]:
    with running(data, tls) as site:
        yield site


def build(folder: DataFolder, *extra: object) -> None:
    """The next epoch, with some more hashes."""
    with Store.open(folder.database) as store:
        add_source(store, "clinic", [*CLINIC, *map(md5, extra)])
        add_source(store, "police", [*POLICE, *map(md5, extra)])
        builder(folder, store).build(OPTIONS)


def test_an_honest_log_is_read_and_agrees_with_what_devices_have_seen(
    site: Site, data: DataFolder, audit: Run, tmp_path: Path
) -> None:
    access, seen = site.access(tmp_path / "access.json"), tmp_path / "alice.checkpoint"
    with site.device(tmp_path / "alice", "alice") as device:
        seen.write_bytes(device.checkpoint().encode())
    ran = audit("watch", access, seen)
    assert (ran.status, ran.err) == (0, "")
    assert "manifests of 1 epochs, which form one chain" in ran.out
    assert "what alice.checkpoint has seen (1 entries) is the beginning of it" in ran.out
    build(data, "new")
    site.runtime.tables.refresh()
    again = audit("watch", access, seen)
    assert (again.status, again.err) == (0, "")
    assert "what this program, before, has seen (1 entries)" in again.out
    assert "manifests of 2 epochs" in again.out


def test_a_server_that_shows_two_devices_two_histories_is_caught(
    data: DataFolder, tls: ServerTls, audit: Run, tmp_path: Path
) -> None:
    """The same keys, the same list, two worlds: Alice gets one epoch 2, Bob another."""
    other = copy_data_folder(data, tmp_path / "other")
    build(data, "for everybody")
    build(other, "for Bob alone")
    build(other, "one more")
    with running(data, tls) as one, running(other, tls) as two:
        with one.device(tmp_path / "alice", "alice") as alice, two.device(tmp_path / "bob", "bob") as bob:
            assert (alice.status().epoch, bob.status().epoch) == (2, 3)  # each sees nothing wrong
            (tmp_path / "alice.note").write_bytes(alice.checkpoint().encode())
            (tmp_path / "bob.note").write_bytes(bob.checkpoint().encode())
        access = two.access(tmp_path / "access.json")
        ran = audit("watch", access, tmp_path / "alice.note", tmp_path / "bob.note", "--evidence", tmp_path / "found")
        assert ran.status == 1
        assert "FORK: the server showed alice.note another log" in ran.err
        (file,) = (tmp_path / "found").iterdir()
        sizes = [checkpoint.size for checkpoint in Fork.decode(file.read_bytes()).verify()]
        assert sizes == [2, 3]
        key = data.identity().server_key.hex()
        checked = audit("evidence", file, "--server-key", key)
        assert checked.status == 0
        assert "signed two logs" in checked.out
        assert audit("evidence", file, "--server-key", "11" * 32).status == 1
        ahead = audit("watch", one.access(tmp_path / "other-access.json"), tmp_path / "bob.note")
        assert ahead.status == 1
        assert "bob.note has seen 3 entries of the log, and the server shows 2 here" in ahead.err


def test_two_checkpoints_of_one_size_are_enough_without_the_server(
    data: DataFolder, tls: ServerTls, audit: Run, tmp_path: Path
) -> None:
    other = copy_data_folder(data, tmp_path / "other")
    build(data, "for everybody")
    build(other, "for Bob alone")
    for folder, name in ((data, "alice"), (other, "bob")):
        with running(folder, tls) as site:
            (tmp_path / f"{name}.note").write_bytes(site.runtime.log.checkpoint().encode())
    notes = tmp_path / "alice.note", tmp_path / "bob.note"
    key = data.identity().server_key.hex()
    ran = audit("watch", *notes, "--server-key", key, "--evidence", tmp_path)
    assert ran.status == 1
    assert "two logs" in ran.err
    assert audit("watch", notes[0], notes[0], "--server-key", key).status == 0
    assert audit("watch", notes[0], "--server-key", "11" * 32).status == 1
    assert audit("watch", notes[0]).status == 2


def test_a_server_that_goes_over_to_another_history_is_refused_by_the_device_it_told_the_first(
    data: DataFolder, tls: ServerTls, tmp_path: Path
) -> None:
    other = copy_data_folder(data, tmp_path / "other")
    build(data, "the first story")
    build(other, "another story")
    build(other, "and more of it")
    with running(data, tls) as site, site.device(tmp_path / "alice", "alice") as device:
        assert device.status().epoch == 2
    with running(other, tls) as two:
        home = tmp_path / "alice" / "home"
        _point_to(home, two.access(tmp_path / "renewed.json", Role.DEVICE, "alice").read_text())
        with Device.open(home) as device, pytest.raises(VerificationError, match="a fork"):
            device.fetch()


def _point_to(home: Path, enrolment: str) -> None:
    """Let a device talk to another server, as whoever controls its network could."""
    configuration = json.loads((home / "device.json").read_text())
    told = json.loads(enrolment)
    configuration |= {"server": told["server"], "token": told["token"], "ca": told["ca"]}
    (home / "device.json").write_text(json.dumps(configuration))


def test_entries_that_are_not_under_the_checkpoint_are_refused(site: Site, audit: Run, tmp_path: Path) -> None:
    site.runtime.log._tree.append(bytes(32))  # the server signs what it does not show
    ran = audit("watch", site.access(tmp_path / "access.json"))
    assert ran.status == 1
    assert "are not those under its signed checkpoint" in ran.err


# ------------------------------------------------------------------ going on from the look before


def test_only_what_is_new_is_read(site: Site, audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    async def entries(self: Service, start: int, count: int) -> list[bytes]:
        asked.append(("entries", start))
        return await its_entries(self, start, count)

    async def signed_manifest(self: Service, number: int) -> bytes:
        asked.append(("manifest", number))
        return await its_manifest(self, number)

    its_entries, its_manifest = Service.entries, Service.signed_manifest
    access = site.access(tmp_path / "access.json")
    for number in range(3):
        site.runtime.store.log.set_notify_after(number, 1.0)
    assert "4 of them were read now" in audit("watch", access).out
    monkeypatch.setattr(Service, "entries", entries)
    monkeypatch.setattr(Service, "signed_manifest", signed_manifest)
    assert "0 of them were read now" in audit("watch", access).out
    assert asked == []
    build(site.runtime.folder, "new")
    site.runtime.tables.refresh()
    ran = audit("watch", access)
    assert "has 5 entries, and hashes to its signed checkpoint; 1 of them were read now" in ran.out
    assert asked == [("entries", 4), ("manifest", 2)]


def _cut(text: str) -> str:
    return text[:-20]


def _other_frontier(text: str) -> str:
    return json.dumps({**json.loads(text), "frontier": "1 " + "00" * 32})


def _other_history(text: str) -> str:
    return json.dumps({**json.loads(text), "size": 7})


@pytest.mark.parametrize("change", [_cut, _other_frontier, _other_history])
def test_what_was_kept_and_is_damaged_is_read_again(
    site: Site, audit: Run, tmp_path: Path, change: Callable[[str], str]
) -> None:
    access = site.access(tmp_path / "access.json")
    assert audit("watch", access).status == 0
    kept = tmp_path / "access.json.watched"
    kept.write_text(change(kept.read_text()))
    ran = audit("watch", access)
    assert ran.status == 0
    assert "the whole log is read again" in ran.err
    assert "1 of them were read now" in ran.out
    assert audit("watch", access).err == ""


@pytest.mark.parametrize("rules", ["kept", "broken"])
def test_a_history_that_does_not_go_on_from_the_look_before_is_a_fork(
    data: DataFolder, tls: ServerTls, audit: Run, tmp_path: Path, rules: str
) -> None:
    """Whether or not the new entries by themselves could follow those of the old history."""
    other = copy_data_folder(data, tmp_path / "other")
    build(data, "for everybody")
    build(other, "for Bob alone")
    if rules == "broken":  # its fourth entry and its fifth do not go together with the three that were read before
        build(data, "one more")
        with Store.open(other.database) as store:
            store.log.set_notify_after(5, 1.0)
            store.log.set_notify_after(6, 1.0)
    build(other, "and another")
    with running(data, tls) as site:
        access = site.access(tmp_path / "access.json")
        assert audit("watch", access).status == 0
    access.unlink()
    with running(other, tls) as site:
        site.access(access)
        ran = audit("watch", access, "--evidence", tmp_path / "found")
    assert ran.status == 1
    assert "FORK: the server showed this program, before, another log" in ran.err
    (file,) = (tmp_path / "found").iterdir()
    assert audit("evidence", file, "--server-key", data.identity().server_key.hex()).status == 0


def test_a_proof_that_is_wrong_about_an_honest_log_accuses_nobody(
    site: Site, audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, seen = site.access(tmp_path / "access.json"), tmp_path / "old.note"
    seen.write_bytes(site.runtime.log.checkpoint().encode())
    site.runtime.store.log.set_notify_after(60, 1.0)
    monkeypatch.setattr(site.runtime.log, "consistency", lambda _first, _second: [bytes(32)])
    ran = audit("watch", access, seen)
    assert (ran.status, ran.err) == (0, "")
    assert "what old.note has seen (1 entries) is the beginning of it" in ran.out
