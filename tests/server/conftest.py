"""Fixtures: a small server with one epoch."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.command import Run, running
from tests.server.site import LISTED, Site
from tpsi_server import Runtime


@pytest.fixture
def empty_site(tmp_path: Path) -> Site:
    """A server that was just set up."""
    return Site(tmp_path / "data")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that those of `site` are copies of."""
    made = Site(tmp_path_factory.mktemp("template") / "data")
    made.list_names("names", LISTED)
    made.build()
    return made.folder.path


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Site:
    """A server whose one epoch lists LISTED; more than three matches reveal."""
    return Site(Path(shutil.copytree(template, tmp_path / "data")))


@pytest.fixture
def runtime(site: Site) -> Iterator[Runtime]:
    """The whole server, matching in this process when told to, with the accounts alice and bob."""
    with site.runtime() as opened:
        for name in ("alice", "bob"):
            opened.accounts.create(name)
        yield opened


@pytest.fixture
def run(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command on the site's folder: exit status, stdout, stderr."""
    with running(site, capsys, monkeypatch) as run:
        yield run
