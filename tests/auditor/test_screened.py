"""Lists of perceptual hashes: what screening left out is told, and that they are separated is checked, not believed."""

from pathlib import Path

import pytest

from tests.auditor.conftest import builder, packed, write_list
from tests.support.drbg import Drbg
from tests.support.server_data import COST, PASSPHRASE, add_source
from tests.support.world import NO_COVER
from tpsi import ItemHash, Probes, Sharing
from tpsi.audit import package as names
from tpsi_audit import Package, RefusedError, verify
from tpsi_server import DataFolder, Store
from tpsi_server.epochs import BuildOptions
from tpsi_server.screening import Screening
from tpsi_server.setup import set_up

RNG = Drbg("perceptual")
FIRST = ItemHash("pdq", RNG(32))
NEAR = ItemHash("pdq", bytes([FIRST.digest[0] ^ 1]) + FIRST.digest[1:])
LISTED = [FIRST, NEAR, *(ItemHash("pdq", RNG(32)) for _ in range(20))]
OPTIONS = BuildOptions(Sharing(3, 4), NO_COVER, Probes(4))


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A server whose source names two hashes that one picture could match."""
    folder = DataFolder.at(tmp_path / "data")
    set_up(folder, "pictures", PASSPHRASE, cost=COST)
    with Store.open(folder.database) as store:
        add_source(store, "clinic", LISTED)
    return folder


def build(folder: DataFolder, to: Path) -> Path:
    """The package of an epoch for four probes."""
    with Store.open(folder.database) as store:
        builder(folder, store).build(OPTIONS)
    return packed(folder, to).path


def test_what_was_left_out_is_told_and_separation_is_established(folder: DataFolder, tmp_path: Path) -> None:
    package = build(folder, tmp_path / "package")
    left_out = Package.open(package).left_out()
    assert left_out in ([NEAR], [FIRST])
    assert "is near to pdq:" in (package / names.LEFT_OUT).read_text()
    report = verify(Package.open(package), sources={"clinic": write_list(tmp_path / "ours", LISTED)})
    assert "it is separated for 4 probes: no picture can match two of its hashes of one type" in report.established
    assert any("but for 1 that the server left out by screening" in line for line in report.established)
    assert any("left out had to be" in line for line in report.not_established)


def test_a_hash_that_is_left_out_silently_is_refused(folder: DataFolder, tmp_path: Path) -> None:
    package = build(folder, tmp_path / "package")
    (package / names.LEFT_OUT).unlink()
    with pytest.raises(RefusedError, match="lacks hashes"):
        verify(Package.open(package), [write_list(tmp_path / "ours", LISTED)])


def test_a_server_that_only_says_that_its_list_is_separated_is_refused(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbouring hashes would open several slots of one picture; a device takes the signature for their absence."""

    def believe(merged, always, *_):  # type: ignore[no-untyped-def]
        return merged.encodings.with_items(always), Screening(0, 0, 0)

    monkeypatch.setattr("tpsi_server.epochs.screen", believe)
    package = Package.open(build(folder, tmp_path / "package"))
    assert package.manifest.probes == Probes(4, True)
    with pytest.raises(RefusedError, match="not separated for 4 probes"):
        verify(package, [write_list(tmp_path / "ours", LISTED)])
