"""What vouchers carry: small pictures, keys of encrypted originals; and tables that try to make them tell."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.client.epochs import Epoch, first_epoch, sign
from tests.client.fake_server import FakeServer, opened
from tests.client.samples import LISTED, SAMPLES, listing, queued
from tests.support.world import file_root
from tpsi import (
    CallerError,
    Header,
    Photograph,
    Pool,
    Synthetic,
    SyntheticMode,
    Verdict,
    examine,
    open_original,
)
from tpsi.pictures import Picture
from tpsi_client import Choices, Device
from tpsi_client.examining import preview_room

Enrol = Callable[..., Device]


@pytest.fixture
def epoch() -> Epoch:
    """Five of the twelve photographs are listed; the threshold is three."""
    return first_epoch(listing(*SAMPLES[:LISTED]))


class TestAssociatedData:
    def test_a_reveal_shows_pictures_and_opens_originals(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path, tmp_path: Path
    ) -> None:
        originals = tmp_path / "originals"
        report = device.scan(folder, originals=originals)
        assert report.originals == 12
        device.upload()
        assert {path.stem for path in originals.iterdir()} == {i.hex() for i in server.behaviour.stored}
        found = [one for one in epoch.open("alice", server.behaviour.vouchers) if one]
        generation = Header.decode(server.behaviour.vouchers[0]).generation
        examination = examine(Pool(epoch.manifest.list_id, generation, epoch.manifest.sharing), found)
        assert set(examination.verdicts) == {Verdict.REVEALED}
        seen = set()
        for one, data in zip(found, examination.associated, strict=True):
            assert data is not None
            photograph = Photograph.decode(data)
            assert Picture.from_bytes(photograph.derivative).image.size == (128, 128)
            sealed = (originals / f"{one.voucher_id.hex()}.sealed").read_bytes()
            seen.add(open_original(photograph.content_key, sealed))
        assert seen == set(SAMPLES[:LISTED])

    def test_copies_and_synthetic_vouchers_have_originals_too(
        self, enrol: Enrol, server: FakeServer, folder: Path, tmp_path: Path
    ) -> None:
        """A missing file, or one of another length, would tell which vouchers are real."""
        often = Synthetic(SyntheticMode.REPLACE, 500_000)
        server.behaviour.epochs = [first_epoch(listing(*SAMPLES[:LISTED]), synthetic=often)]
        shutil.copy(folder / "photo00.jpg", folder / "copy.jpg")
        enrol().scan(folder, originals=tmp_path / "originals")
        sizes = sorted(path.stat().st_size - 16 for path in (tmp_path / "originals").iterdir())
        assert sizes == sorted(path.stat().st_size for path in folder.iterdir())

    def test_originals_are_refused_where_their_sizes_would_tell(
        self, enrol: Enrol, server: FakeServer, folder: Path, tmp_path: Path
    ) -> None:
        server.behaviour.epochs = [first_epoch(synthetic=Synthetic(SyntheticMode.ADD, 1000))]
        device = enrol(Choices(modes=(SyntheticMode.ADD,)), where=tmp_path / "a")
        with pytest.raises(CallerError, match="in addition to real ones"):
            device.scan(folder, originals=tmp_path / "originals")
        server.behaviour.epochs = [first_epoch((), ("pdq", "sha256"))]
        device = enrol(where=tmp_path / "b")
        with pytest.raises(CallerError, match="--types pdq"):
            device.scan(folder, originals=tmp_path / "originals")
        assert device.scan(folder, originals=tmp_path / "originals", types=["pdq"]).originals == 12

    @pytest.mark.parametrize(("size_class", "room"), [(0, 0), (1, 24), (7, 472), (13, 4056)])
    def test_every_voucher_of_a_device_has_one_size(
        self, enrol: Enrol, folder: Path, tmp_path: Path, size_class: int, room: int
    ) -> None:
        assert preview_room(size_class) == room
        device = enrol(Choices(size_class=size_class))
        (folder / "text.jpg").write_text("no picture")
        device.scan(folder)
        vouchers = queued(device, tmp_path)
        assert len(vouchers) == 13
        assert {Header.decode(data).size_class for data in vouchers} == {size_class}
        assert len({len(data) for data in vouchers}) == 1


class TestHostileTable:
    def test_bad_cells_are_noted_here_and_shown_to_nobody_else(
        self, enrol: Enrol, server: FakeServer, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        good = first_epoch(listing(*SAMPLES[:LISTED]))
        cells = np.zeros_like(good.built.table.cells)  # every cell is the identity
        bad = with_cells(good, cells)
        server.behaviour.epochs = [bad]
        device = enrol()
        with caplog.at_level(logging.WARNING, "tpsi_client"):
            report = device.scan(folder)
        assert (report.sealed, report.vouchers, device.status().bad_candidates) == (12, 12, 12)
        assert "no sound table gives" in caplog.text
        assert device.upload().acknowledged == 12
        assert opened(bad, server.behaviour.vouchers) == 0
        assert len({len(data) for data in server.behaviour.vouchers}) == 1


def with_cells(epoch: Epoch, cells: NDArray[np.uint8]) -> Epoch:
    """The epoch with other cells, and a manifest that fits them: what a hostile server signs."""
    manifest = replace(epoch.manifest, root=file_root(cells))
    built = replace(epoch.built, table=replace(epoch.built.table, cells=cells))
    return Epoch(manifest, built, sign(manifest))
