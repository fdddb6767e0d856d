"""Fixtures: a server with two sources, its packages, and an auditor's command."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server_data import COST, PASSPHRASE, add_source, copy_data_folder
from tests.support.world import NO_COVER, md5
from tpsi import ItemHash, Secret, Sharing
from tpsi.canary import CANARY_HASHES
from tpsi_audit.cli import main
from tpsi_audit.keys import make_key
from tpsi_server import DataFolder, Store
from tpsi_server.auditing import Prepared, prepare
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.setup import set_up

KEY_PASSPHRASE = "an auditor's passphrase"
#: What the sources name: 60 are named by both, and the rule wants both.
CLINIC, POLICE = [md5(n) for n in range(100)], [md5(n) for n in range(40, 140)]
BOTH = [md5(n) for n in range(40, 100)]
#: The list that is published: with the hash of the canary, which is on every list of its type.
PUBLISHED = [*BOTH, ItemHash("md5", bytes.fromhex(CANARY_HASHES["md5"]))]
OPTIONS = BuildOptions(Sharing(3, 4), NO_COVER, minimum_sources=2)


@pytest.fixture(scope="session")
def audited_template(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A server with one epoch."""
    folder = DataFolder.at(tmp_path_factory.mktemp("audited") / "data")
    set_up(folder, "an audited list", PASSPHRASE, cost=COST)
    with Store.open(folder.database) as store:
        add_source(store, "clinic", CLINIC)
        add_source(store, "police", POLICE)
        builder(folder, store).build(OPTIONS)
    return folder


def builder(folder: DataFolder, store: Store) -> Builder:
    """What builds the next epoch."""
    return Builder(folder, store, ring(folder), processes=1)


def ring(folder: DataFolder) -> KeyRing:
    """The server's keys."""
    return KeyRing(folder.keys, PASSPHRASE, cost=COST)


def packed(folder: DataFolder, to: Path, number: int = 1) -> Prepared:
    """The package of an epoch."""
    with Store.open(folder.database) as store:
        return prepare(folder, store, ring(folder), number, to)


def write_list(path: Path, items: list[ItemHash]) -> Path:
    """A list in a file, as an auditor holds it."""
    path.write_text("# a list\n" + "".join(f"{item}\n" for item in items))
    return path


@pytest.fixture
def data(audited_template: DataFolder, tmp_path: Path) -> DataFolder:
    """A server's folder of the test's own."""
    return copy_data_folder(audited_template, tmp_path / "data")


@pytest.fixture
def package(data: DataFolder, tmp_path: Path) -> Path:
    """The package of epoch 1."""
    return packed(data, tmp_path / "package").path


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `tpsi-audit` in this process."""
    monkeypatch.setenv("TPSI_AUDIT_PASSPHRASE", KEY_PASSPHRASE)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["tpsi-audit", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        else:
            status = 0
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An auditor's key file."""
    path = tmp_path / "auditor.key"
    make_key(path, Secret(KEY_PASSPHRASE.encode()))
    return path
