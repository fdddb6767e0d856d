"""Scanning and sealing: every picture once, copies as null vouchers, nothing half-stored."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.epochs import Epoch, first_epoch, sha256
from tests.client.fake_server import FakeServer, opened
from tests.client.pictures import make_pictures
from tests.client.samples import LISTED, SAMPLES, listing, queued
from tpsi import (
    CallerError,
    CountBy,
    Header,
    Item,
    ItemHash,
)
from tpsi.canary import CANARY_HASHES, canary_picture
from tpsi_client import Device, DiskError

Enrol = Callable[..., Device]


@pytest.fixture
def epoch() -> Epoch:
    """Five of the twelve photographs are listed; the threshold is three."""
    return first_epoch(listing(*SAMPLES[:LISTED]))


class TestOnce:
    def test_every_picture_is_sealed_and_listed_ones_open(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path
    ) -> None:
        report = device.scan(folder)
        assert (report.pictures, report.sealed, report.vouchers, report.repeated) == (12, 12, 12, 0)
        assert device.upload().acknowledged == 12
        assert opened(epoch, server.behaviour.vouchers) == LISTED

    def test_a_second_scan_makes_nothing_and_reads_nothing(self, device: Device, folder: Path) -> None:
        device.scan(folder)
        for file in folder.iterdir():
            stamp = file.stat()
            file.write_bytes(bytes(stamp.st_size))  # whoever read it would notice
            os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        report = device.scan(folder)
        assert (report.pictures, report.unchanged, report.vouchers, report.unusable) == (12, 12, 0, ())

    def test_a_file_that_was_only_touched_makes_nothing(self, device: Device, folder: Path) -> None:
        device.scan(folder)
        os.utime(folder / "photo03.jpg", ns=(1, 1))
        report = device.scan(folder)
        assert (report.unchanged, report.vouchers) == (12, 0)

    def test_a_changed_picture_is_sealed_anew(self, device: Device, folder: Path) -> None:
        device.scan(folder)
        (folder / "photo03.jpg").write_bytes(make_pictures(13)[12])
        report = device.scan(folder)
        assert (report.unchanged, report.sealed, report.vouchers, report.repeated) == (11, 1, 1, 0)

    def test_forty_copies_of_a_listed_picture_open_once(
        self, device: Device, server: FakeServer, epoch: Epoch, tmp_path: Path
    ) -> None:
        copies = tmp_path / "copies"
        for number in range(40):
            path = copies / str(number % 3) / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(SAMPLES[0])
        report = device.scan(copies)
        assert (report.sealed, report.vouchers, report.repeated) == (40, 40, 39)
        device.upload()
        assert len(server.behaviour.vouchers) == 40
        assert opened(epoch, server.behaviour.vouchers) == 1
        assert len({len(data) for data in server.behaviour.vouchers}) == 1

    def test_a_copy_that_comes_later_gets_a_null_voucher(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path
    ) -> None:
        device.scan(folder)
        shutil.copy(folder / "photo00.jpg", folder / "again.jpg")
        report = device.scan(folder)
        assert (report.vouchers, report.repeated) == (1, 1)
        device.upload()
        assert opened(epoch, server.behaviour.vouchers) == LISTED

    def test_single_files_are_sealed_like_folders(self, device: Device, folder: Path) -> None:
        assert device.seal_files([folder / "photo01.jpg", str(folder / "photo02.jpg")]).vouchers == 2
        assert device.scan(folder).vouchers == 10

    def test_a_rescan_seals_everything_unlinkably(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path
    ) -> None:
        device.scan(folder)
        device.upload()
        first = server.behaviour.vouchers
        device.queue([Item(b"waits", (ItemHash("sha256", bytes(32)),))])
        device.rescan()
        assert (device.status().replaced, device.status().queued, device.status().rescans) == (1, 0, 1)
        assert device.scan(folder).repeated == 0
        device.upload()
        second = server.behaviour.vouchers[len(first) :]
        assert len(second) == len(first) == 12
        shares = [{one.share for one in epoch.open("alice", some) if one} for some in (first, second)]
        assert len(shares[0]) == len(shares[1]) == LISTED
        assert {share[:8] for share in shares[0]}.isdisjoint({share[:8] for share in shares[1]})
        assert Header.decode(first[0]).generation != Header.decode(second[0]).generation

    def test_the_next_epoch_seals_nothing_again(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path
    ) -> None:
        device.scan(folder)
        server.behaviour.epochs.append(epoch.following())
        device.fetch()
        assert device.scan(folder).vouchers == 0
        shutil.copy(folder / "photo00.jpg", folder / "again.jpg")
        assert device.scan(folder).repeated == 1


class TestStored:
    def test_vouchers_without_their_memory_are_never_stored(
        self, device: Device, home: Path, folder: Path, epoch: Epoch, server: FakeServer
    ) -> None:
        """The database fails after the vouchers were inserted: neither they nor any tag may remain."""
        with sqlite3.connect(home / "outbox.sqlite3") as database:
            database.execute("CREATE TRIGGER broken BEFORE INSERT ON memory BEGIN SELECT RAISE(ABORT, 'broken'); END")
        with pytest.raises(DiskError, match="broken"):
            device.scan(folder)
        status = device.status()
        assert (status.queued, status.remembered, status.sealed) == (0, 0, 0)
        with sqlite3.connect(home / "outbox.sqlite3") as database:
            database.execute("DROP TRIGGER broken")
        database.close()
        assert device.scan(folder).repeated == 0
        device.upload()
        assert opened(epoch, server.behaviour.vouchers) == LISTED

    def test_neither_names_nor_hashes_nor_kinds_are_kept(self, device: Device, home: Path, folder: Path) -> None:
        device.scan(folder)
        device.close()
        content = (home / "outbox.sqlite3").read_bytes()
        assert b"photo0" not in content
        assert str(folder).encode() not in content
        for sample in SAMPLES:
            assert sha256(sample).digest not in content
        for kind in (b"synthetic", b"null", b"real"):
            assert kind not in content.lower().replace(b"not null", b"")


class TestSeal:
    """Sealing without the outbox, for another transport."""

    def items(self, count: int) -> list[Item]:
        return [Item(b"%d" % n, (sha256(SAMPLES[n]),), b"about %d" % n) for n in range(count)]

    def test_octets_for_any_transport_without_a_network(self, device: Device, server: FakeServer, epoch: Epoch) -> None:
        server.__exit__()
        vouchers = device.seal(self.items(7))
        assert opened(epoch, vouchers) == LISTED
        assert (device.status().queued, device.status().remembered, device.status().sealed) == (0, 7, 7)
        assert len({len(data) for data in vouchers}) == 1

    def test_what_was_sealed_is_known_to_the_outbox_and_the_other_way_round(
        self, device: Device, epoch: Epoch, tmp_path: Path
    ) -> None:
        device.seal(self.items(4))
        assert device.queue(self.items(5)) == 5
        assert opened(epoch, queued(device, tmp_path)) == 1
        assert opened(epoch, device.seal(self.items(5))) == 0

    def test_associated_data_that_does_not_fit_seals_nothing(self, device: Device) -> None:
        with pytest.raises(CallerError, match="do not fit size class"):
            device.queue([*self.items(2), Item(b"x", (sha256(b"x"),), bytes(5000))])
        assert device.status().remembered == 0

    def test_no_items_are_no_trouble(self, device: Device) -> None:
        assert (device.seal([]), device.queue([])) == ([], 0)


class TestTypes:
    @pytest.fixture
    def epoch(self) -> Epoch:
        return first_epoch((*listing(SAMPLES[0]), *listing(SAMPLES[1], label="pdq")), ("pdq", "sha256"))

    def test_a_picture_has_a_voucher_for_every_type_of_the_list(
        self, device: Device, server: FakeServer, epoch: Epoch, folder: Path
    ) -> None:
        assert device.status().picture_threshold == 1  # a picture can count twice
        report = device.scan(folder)
        assert (report.sealed, report.vouchers) == (12, 24)
        device.upload()
        assert opened(epoch, server.behaviour.vouchers) == 2

    def test_types_can_be_chosen_and_added_later(self, device: Device, folder: Path) -> None:
        assert device.scan(folder, types=["pdq"]).vouchers == 12
        assert device.scan(folder, types=["pdq"]).vouchers == 0
        assert device.scan(folder).vouchers == 12

    @pytest.mark.parametrize("label", ["md5", "neuralhash", ""])
    def test_a_type_that_is_not_on_the_list_is_refused(self, device: Device, folder: Path, label: str) -> None:
        with pytest.raises(CallerError, match="share pdq, sha256"):
            device.scan(folder, types=[label])

    def test_a_list_that_counts_items_gets_one_voucher_for_a_picture(
        self, enrol: Enrol, server: FakeServer, folder: Path
    ) -> None:
        server.behaviour.epochs = [first_epoch((), ("pdq", "sha256"), count_by=CountBy.ITEM)]
        device = enrol()
        assert device.scan(folder).vouchers == 12
        assert device.scan(folder, types=["sha256"]).vouchers == 0  # by the other type it is the same picture
        with pytest.raises(CallerError, match="name one hash type"):
            device.scan(folder, types=["pdq", "sha256"])

    def test_the_canary_itself_is_found(self, device: Device, server: FakeServer, epoch: Epoch, tmp_path: Path) -> None:
        (tmp_path / "canary.png").write_bytes(canary_picture())
        assert set(CANARY_HASHES) >= {"pdq", "sha256"}
        device.seal_files([tmp_path / "canary.png"])
        device.upload()
        assert opened(epoch, server.behaviour.vouchers) == 2


class TestBadPictures:
    def spoil(self, folder: Path) -> None:
        (folder / "text.jpg").write_text("no picture")
        (folder / "empty.png").write_bytes(b"")
        (folder / "cut.jpg").write_bytes(SAMPLES[0][: len(SAMPLES[0]) // 2])

    def test_by_their_pixels_they_are_listed_and_the_others_sealed(
        self, enrol: Enrol, server: FakeServer, folder: Path
    ) -> None:
        server.behaviour.epochs = [first_epoch((), ("pdq",))]
        self.spoil(folder)
        device = enrol()
        report = device.scan(folder)
        assert (report.sealed, report.unusable_count, len(report.unusable)) == (12, 3, 3)
        assert {line.partition(":")[0] for line in report.unusable} == {"text.jpg", "empty.png", "cut.jpg"}
        assert all("\n" not in line for line in report.unusable)
        assert device.scan(folder).unusable_count == 3

    def test_by_their_octets_they_are_sealed_without_a_small_picture(self, device: Device, folder: Path) -> None:
        self.spoil(folder)
        report = device.scan(folder)
        assert (report.sealed, report.unusable_count, len(report.partial)) == (15, 0, 3)

    def test_a_file_that_vanishes_or_cannot_be_read_is_listed(self, device: Device, folder: Path) -> None:
        (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
        report = device.seal_files([folder / "gone.jpg", folder / "photo00.jpg"])
        assert (report.sealed, report.unusable_count) == (1, 1)
        assert "gone.jpg" in report.unusable[0]

    def test_a_folder_that_is_not_there(self, device: Device, tmp_path: Path) -> None:
        with pytest.raises(Exception, match="can't be listed") as caught:
            device.scan(tmp_path / "nowhere")
        assert type(caught.value).__name__ == "PictureError"
