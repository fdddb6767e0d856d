"""Fetching: resumed at any offset, verified chunk by chunk, along an unbroken chain of manifests."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.client.conftest import HASTE
from tests.client.epochs import FILLERS, Epoch, canary, first_epoch
from tests.client.fake_server import FakeServer
from tests.client.test_uploading import items
from tpsi import Sharing, Synthetic, SyntheticMode, VerificationError
from tpsi.merkle import CHUNK_SIZE
from tpsi_client import Device, DiskError, HomeError, SelfCheckError, ServiceError
from tpsi_client.fetching import MAX_SKIPPED
from tpsi_client.tables import TableFolder

Enrol = Callable[..., Device]


def large() -> Epoch:
    """An epoch whose table has several chunks."""
    return first_epoch(fillers=FILLERS)


@pytest.fixture
def begun(enrol: Enrol, server: FakeServer, home: Path) -> Device:
    """A device that is enrolled for the large table, and has none of it yet."""
    server.behaviour.epochs = [large()]
    return enrol(fetch=False)


def folder_of(home: Path, epoch: Epoch) -> Path:
    return home / "table" / epoch.manifest.digest.hex()


class TestTable:
    @pytest.mark.parametrize("offset", [1, 20_000, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 150_001, -1])
    def test_a_download_resumes_at_any_octet(self, begun: Device, server: FakeServer, home: Path, offset: int) -> None:
        table = large().table
        offset %= len(table)
        server.behaviour.break_off = [offset, 0, 0]
        with pytest.raises(ServiceError):
            begun.fetch()
        assert begun.fetch().received == len(table) - offset
        assert server.behaviour.offsets[-1] == offset
        assert (folder_of(home, large()) / "table.bin").read_bytes() == table

    def test_connections_that_break_off_again_and_again_make_progress(self, begun: Device, server: FakeServer) -> None:
        server.behaviour.break_off = [9_000] * 30  # far more failures than patience allows without progress
        assert begun.fetch().received == len(large().table)

    def test_a_chunk_that_was_corrupted_once_is_fetched_again(self, begun: Device, server: FakeServer) -> None:
        server.behaviour.damage[1] = 2
        begun.fetch()
        assert begun.status().table_complete
        assert server.behaviour.offsets == [0, CHUNK_SIZE, CHUNK_SIZE]

    def test_a_table_that_is_cut_off_while_it_is_in_use_ends_no_program(self, begun: Device, home: Path) -> None:
        first, second = ([one] for one in items(2))
        begun.fetch()
        assert len(begun.seal(first)) == 1
        table = folder_of(home, large()) / "table.bin"
        os.truncate(table, 0)
        with pytest.raises(HomeError, match="cut off; run: tpsi-device fetch"):
            begun.seal(second)
        table.write_bytes(large().table)
        assert len(begun.seal(second)) == 1, "it was not remembered as sealed"

    def test_a_copy_of_an_open_table_reads_on_when_the_first_is_gone(self, begun: Device, home: Path) -> None:
        begun.fetch()
        first = TableFolder(folder_of(home, large()), large().manifest).open()
        second, places = replace(first), np.arange(5)
        cells = first.cells_at(places)
        del first
        with (home / "another").open("wb+") as other:  # it may get the number of a file that was closed
            other.write(bytes(1000))
            other.flush()
            assert second.cells_at(places).tobytes() == cells.tobytes() == large().table[: cells.size]

    def test_a_chunk_that_stays_corrupted_is_named(self, begun: Device, server: FakeServer, home: Path) -> None:
        server.behaviour.damage[2] = 99
        with pytest.raises(VerificationError, match=rf"chunk 2 of 4 .*octets from {2 * CHUNK_SIZE}.*3 times"):
            begun.fetch()
        assert (folder_of(home, large()) / "table.part").read_bytes() == large().table[: 2 * CHUNK_SIZE]
        assert not begun.status().table_complete
        server.behaviour.damage.clear()
        assert begun.fetch().received == len(large().table) - 2 * CHUNK_SIZE

    @pytest.mark.parametrize("place", [5, CHUNK_SIZE + 5, 100_000])
    def test_what_was_damaged_on_the_disk_is_fetched_again(
        self, begun: Device, server: FakeServer, home: Path, place: int
    ) -> None:
        part = folder_of(home, large()) / "table.part"
        content = bytearray(large().table[: 2 * CHUNK_SIZE + 9])
        content[place] ^= 1
        part.write_bytes(content)
        begun.fetch()
        assert (folder_of(home, large()) / "table.bin").read_bytes() == large().table
        assert server.behaviour.offsets[0] == place // CHUNK_SIZE * CHUNK_SIZE

    def test_a_part_that_is_longer_than_the_table_is_cut(self, begun: Device, home: Path) -> None:
        (folder_of(home, large()) / "table.part").write_bytes(large().table + b"more")
        assert begun.fetch().received == 0
        assert begun.status().table_complete

    def test_a_table_damaged_at_rest_is_noticed_before_sealing_and_repaired(
        self, begun: Device, home: Path, folder: Path
    ) -> None:
        begun.fetch()
        table = folder_of(home, large()) / "table.bin"
        content = bytearray(table.read_bytes())
        content[CHUNK_SIZE + 1] ^= 1
        table.write_bytes(content)
        with pytest.raises(HomeError, match=r"was damaged.*tpsi-device fetch"):
            begun.scan(folder)
        assert begun.fetch().received == len(content) - CHUNK_SIZE
        assert begun.scan(folder).vouchers == 12

    def test_digests_that_are_not_the_manifests_are_refused(self, begun: Device, server: FakeServer) -> None:
        leaves = large().leaves
        server.behaviour.epochs = [
            SimpleNamespace(  # type: ignore[list-item]
                manifest=large().manifest,
                envelope=large().envelope,
                leaves=[*leaves[1:], leaves[0]],
                table=large().table,
            )
        ]
        with pytest.raises(VerificationError, match="digests of the table's chunks"):
            begun.fetch()

    def test_a_full_disk_is_said_before_the_download(
        self, begun: Device, server: FakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
        with pytest.raises(DiskError, match=r"the table needs .* octets.*1000 free"):
            begun.fetch()
        assert server.behaviour.offsets == []

    def test_a_missing_manifest_is_said_and_fetched(self, device: Device, home: Path, folder: Path) -> None:
        (folder_of(home, first_epoch()) / "manifest.json").unlink()
        with pytest.raises(HomeError, match=r"manifest in .* is missing or damaged"):
            device.scan(folder)
        device.fetch()
        assert device.scan(folder).vouchers == 12

    def test_a_finished_table_is_not_fetched_again(self, device: Device, server: FakeServer) -> None:
        server.behaviour.offsets.clear()
        report = device.fetch()
        assert (report.new, report.received, server.behaviour.offsets) == (False, 0, [])


class TestChain:
    def test_the_next_epoch_replaces_the_table(self, device: Device, server: FakeServer, home: Path) -> None:
        second = first_epoch().following()
        server.behaviour.epochs.append(second)
        assert (device.fetch().epoch, device.status().epoch) == (2, 2)
        assert [path.name for path in (home / "table").iterdir()] == [second.manifest.digest.hex()]

    def test_skipped_epochs_are_filled_in(self, device: Device, server: FakeServer) -> None:
        chain = [first_epoch()]
        for _ in range(4):
            chain.append(chain[-1].following())
        server.behaviour.epochs = chain
        device.fetch()
        assert device.status().epoch == 5
        # Every skipped one is remembered: a fork of any of them is noticed later on.
        server.behaviour.epochs[2] = chain[1].following(created=1)
        server.behaviour.epochs.append(chain[-1].following())
        device.fetch()
        assert device.status().epoch == 6

    def test_a_skipped_epoch_may_have_had_parameters_that_are_refused(self, device: Device, server: FakeServer) -> None:
        second = first_epoch().following(sharing=Sharing(1, 4))
        third = second.following(sharing=Sharing(3, 4))
        server.behaviour.epochs += [second]
        with pytest.raises(VerificationError, match="matching pictures can be enough"):
            device.fetch()
        server.behaviour.epochs += [third]
        device.fetch()
        assert device.status().epoch == 3

    def refused(self, device: Device, server: FakeServer, said: str, *epochs: Epoch) -> None:
        """The device refuses what the server has now, remembers nothing of it, and goes on with what it has."""
        good = server.behaviour.epochs
        server.behaviour.epochs = list(epochs)
        with pytest.raises(VerificationError, match=said):
            device.fetch()
        assert (device.status().epoch, device.status().epoch_seen, device.status().table_complete) == (1, 1, True)
        server.behaviour.epochs = good
        assert not device.fetch().new

    def test_a_fork_of_the_same_epoch(self, device: Device, server: FakeServer) -> None:
        self.refused(device, server, "two different manifests for epoch 1", first_epoch().altered(created=1))

    def test_a_fork_at_the_next_epoch(self, device: Device, server: FakeServer) -> None:
        other = first_epoch().altered(created=1)
        self.refused(device, server, "a fork", other, other.following())

    def test_a_fork_hidden_in_a_skipped_epoch(self, device: Device, server: FakeServer) -> None:
        other = first_epoch().altered(created=1)
        self.refused(device, server, "a fork", first_epoch(), other.following(), other.following().following())

    def test_a_newest_epoch_that_does_not_follow_the_filled_in_ones(self, device: Device, server: FakeServer) -> None:
        second = first_epoch().following()
        other = second.altered(created=1)
        self.refused(device, server, "a fork", first_epoch(), second, other.following())

    def test_another_epoch_than_the_one_asked_for(self, device: Device, server: FakeServer) -> None:
        second = first_epoch().following()
        third = second.following()
        mislabelled = SimpleNamespace(manifest=second.manifest, envelope=first_epoch().envelope)
        self.refused(device, server, "asked for epoch 2", mislabelled, third)  # type: ignore[arg-type]

    def test_more_skipped_epochs_than_anybody_would_walk(self, device: Device, server: FakeServer) -> None:
        far = first_epoch().following(epoch=MAX_SKIPPED + 2)
        self.refused(device, server, "gone on by", first_epoch(), far)

    def test_a_lower_threshold(self, device: Device, server: FakeServer) -> None:
        self.refused(device, server, "can be enough", first_epoch().following(sharing=Sharing(2, 4)))

    def test_more_types_that_lower_the_threshold_in_pictures(self, device: Device, server: FakeServer) -> None:
        self.refused(device, server, "can be enough", first_epoch().following(types=("md5", "sha256")))

    def test_no_more_cover(self, device: Device, server: FakeServer) -> None:
        none = first_epoch().following(synthetic=Synthetic(SyntheticMode.NONE, 0))
        self.refused(device, server, "synthetic", none)

    def test_a_step_back(self, device: Device, server: FakeServer) -> None:
        server.behaviour.epochs.append(first_epoch().following())
        device.fetch()
        server.behaviour.epochs.pop()
        with pytest.raises(VerificationError, match="steps back to epoch 1; this device has already seen epoch 2"):
            device.fetch()

    def test_a_new_epoch_with_other_hashing_is_not_used(self, device: Device, server: FakeServer) -> None:
        bad = first_epoch().following(canary=canary(("sha256",), sha256="cd" * 32))
        server.behaviour.epochs.append(bad)
        with pytest.raises(SelfCheckError):
            device.fetch()
        assert device.status().epoch == 1

    def test_pins_can_be_changed_deliberately(self, device: Device, server: FakeServer, home: Path) -> None:
        server.behaviour.epochs.append(first_epoch().following(sharing=Sharing(2, 4)))
        device.pin(lowest_threshold=2)
        device.close()
        with Device.open(home, patience=HASTE) as again:
            assert again.fetch().epoch == 2
