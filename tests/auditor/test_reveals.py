"""Reveals against the log: a server that reveals without committing is caught by the next audit."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.auditor.conftest import Run
from tests.auditor.test_watch import Site, running, tls
from tests.support.server_data import THRESHOLD, TestEpoch, copy_data_folder, make_data_folder
from tpsi_audit import RefusedError
from tpsi_audit.watching import read_log
from tpsi_client.enrolment import Enrolment
from tpsi_server import DataFolder
from tpsi_server.auditing import reveals_export
from tpsi_server.store import LogStore, opening

__all__ = ["tls"]
Told = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return make_data_folder(tmp_path_factory.mktemp("reveals") / "data")


@pytest.fixture
def site(folder: DataFolder, tls: object, tmp_path: Path) -> Iterator[Site]:
    with running(copy_data_folder(folder, tmp_path / "data"), tls) as site:  # type: ignore[arg-type]
        site.runtime.store.log.set_notify_after(3600, time.time() - 60)
        yield site


def reveal(site: Site, account: str, names: range) -> None:
    """Bring an account over its threshold."""
    if site.runtime.store.accounts.find(account) is None:
        site.runtime.accounts.create(account)
    epoch = TestEpoch.read(site.runtime.folder)
    site.runtime.ingest.ingest(account, epoch.seal(names, account, f"{account} {names}"))
    site.runtime.match_all()


def exported(site: Site, path: Path, change: Callable[[Told], object] = lambda _value: None) -> Path:
    """The server's export, perhaps not as it made it."""
    value = reveals_export(site.runtime.folder, site.runtime.store)
    change(value)
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def revealed(site: Site) -> Site:
    """Two accounts over the threshold, one of them twice."""
    reveal(site, "alice", range(THRESHOLD + 1))
    reveal(site, "bob", range(10, 11 + THRESHOLD))
    reveal(site, "alice", range(20, 22))
    return site


def test_each_reveal_of_an_honest_server_has_its_commitment(revealed: Site, audit: Run, tmp_path: Path) -> None:
    access = revealed.access(tmp_path / "access.json")
    ran = audit("reveals", exported(revealed, tmp_path / "export.json"), "--access", access)
    assert (ran.status, ran.err) == (0, "")
    assert f"each of {2 * (THRESHOLD + 1) + 2} revealed vouchers has its commitment" in ran.out
    assert "holds 3 batches of reveals, of which 0 are open" in ran.out


def test_a_server_that_reveals_without_committing_is_caught(
    revealed: Site, audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "note_reveal", lambda *_: None)
    reveal(revealed, "carol", range(THRESHOLD + 1))
    access = revealed.access(tmp_path / "access.json")
    ran = audit("reveals", exported(revealed, tmp_path / "export.json"), "--access", access)
    assert ran.status == 1
    assert f"{THRESHOLD + 1} vouchers were revealed without a commitment" in ran.err
    assert "'carol'" in ran.err


def test_a_promise_does_not_begin_before_the_reveals_that_were_made_without_it(
    folder: DataFolder, tls: object, audit: Run, tmp_path: Path
) -> None:
    """The command that promises may have waited for the store, while others revealed: nobody is accused of that."""
    with running(copy_data_folder(folder, tmp_path / "data"), tls) as site:  # type: ignore[arg-type]
        reveal(site, "alice", range(THRESHOLD + 1))
        site.runtime.store.log.set_notify_after(3600, time.time() - 60)
        access = site.access(tmp_path / "access.json")
        ran = audit("reveals", exported(site, tmp_path / "export.json"), "--access", access)
    assert (ran.status, ran.err) == (0, "")
    assert f"{THRESHOLD + 1} vouchers were revealed, says the server, while the log promised nobody" in ran.out


def test_accounts_that_choose_the_same_voucher_ids_do_not_convict_an_honest_server(
    revealed: Site, audit: Run, tmp_path: Path
) -> None:
    epoch = TestEpoch.read(revealed.runtime.folder)
    for account in ("mallory", "her other account"):
        revealed.runtime.accounts.create(account)
        revealed.runtime.ingest.ingest(account, epoch.seal(range(THRESHOLD + 1), account, "the same ids"))
    revealed.runtime.match_all()
    access = revealed.access(tmp_path / "access.json")
    ran = audit("reveals", exported(revealed, tmp_path / "export.json"), "--access", access)
    assert (ran.status, ran.err) == (0, "")
    assert f"each of {4 * (THRESHOLD + 1) + 2} revealed vouchers has its commitment" in ran.out


def test_a_voucher_that_was_forgotten_and_sent_again_does_not_convict_an_honest_server(
    site: Site, audit: Run, tmp_path: Path
) -> None:
    runtime, names = site.runtime, range(THRESHOLD + 1)
    runtime.store.retention.set_periods(ids=1, reveals=1)
    reveal(site, "mallory", names)
    later = time.time() + 3 * 86_400
    assert runtime.store.retention.apply(later).reveals == THRESHOLD + 1
    runtime.ingest.ingest("mallory", TestEpoch.read(runtime.folder).seal(names, "mallory", f"mallory {names}"))
    runtime.match_all()
    value = reveals_export(runtime.folder, runtime.store)
    assert (len(value["reveals"]), len(value["notices"])) == (THRESHOLD + 1, 2)
    access = site.access(tmp_path / "access.json")
    ran = audit("reveals", exported(site, tmp_path / "export.json"), "--access", access)
    assert (ran.status, ran.err) == (0, "")


def _forget(value: Told) -> None:
    """A commitment, with all that it is about, is left out."""
    gone = value["notices"].pop(0)
    value["reveals"] = [one for one in value["reveals"] if one["voucher"] not in gone["vouchers"]]


def _fewer(value: Told) -> None:
    value["notices"][0]["vouchers"].pop()


def _renamed(value: Told) -> None:
    for one in value["reveals"]:
        one["account"] = "dave"


def _elsewhere(value: Told) -> None:
    value["notices"][0]["index"] = 0


def _twisted(value: Told) -> None:
    notice = json.loads(value["notices"][0]["notice"])
    notice["account"] = "dave"
    value["notices"][0]["notice"] = json.dumps(notice, sort_keys=True, separators=(",", ":"))


def _twice(value: Told) -> None:
    value["notices"].append(value["notices"][0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_forget, "commits to reveals that the export does not open"),
        (_fewer, "commits to other vouchers"),
        (_renamed, "revealed without a commitment"),
        (_elsewhere, "it is none"),
        (_twisted, "other commitments than those of entry"),
        (_twice, "other commitments than those of entry"),
    ],
)
def test_an_export_that_hides_something_is_refused(
    revealed: Site, audit: Run, tmp_path: Path, change: Callable[[Told], object], said: str
) -> None:
    access = revealed.access(tmp_path / "access.json")
    ran = audit("reveals", exported(revealed, tmp_path / "export.json", change), "--access", access)
    assert ran.status == 1
    assert said in ran.err


_ENDLESS = '{"tpsi_reveals":1,"list":"","reveals":[{"account":"a","voucher":"00","revealed":1e999}],"notices":[]}'


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"tpsi_reveals": 2}', '{"tpsi_reveals": 1, "list": 5}', _ENDLESS])
def test_what_is_no_export_is_refused(site: Site, audit: Run, tmp_path: Path, data: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(data)
    ran = audit("reveals", path, "--access", site.access(tmp_path / "access.json"))
    assert ran.status == 1
    assert "not an export of reveals" in ran.err


def test_all_reveals_of_a_while_are_one_entry_and_its_notices_are_checked_together(
    site: Site, audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LogStore, "commit", lambda _self, _before=None: None)
        for number, account in enumerate(("alice", "bob", "carol")):
            reveal(site, account, range(10 * number, 10 * number + THRESHOLD + 1))
    access = site.access(tmp_path / "access.json")
    export = exported(site, tmp_path / "export.json")
    assert [one["index"] for one in json.loads(export.read_text())["notices"]] == [4, 4, 4]
    ran = audit("reveals", export, "--access", access)
    assert (ran.status, ran.err) == (0, "")
    assert "it holds 1 batches of reveals" in ran.out
    ran = audit("reveals", exported(site, tmp_path / "less.json", _forget), "--access", access)
    assert ran.status == 1
    assert "other commitments than those of entry 4" in ran.err


def test_an_opening_that_is_overdue_is_noticed(revealed: Site, tmp_path: Path) -> None:
    """The server commits and then keeps silent: whoever reads the log sees it."""
    enrolment = Enrolment.read(revealed.access(tmp_path / "access.json"))
    assert len(asyncio.run(read_log(enrolment)).history.waiting) == 3
    with pytest.raises(RefusedError, match="did not open it to its account"):
        asyncio.run(read_log(enrolment, clock=lambda: time.time() + 10_000))
