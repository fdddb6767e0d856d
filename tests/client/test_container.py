"""Vouchers in files: exactly what was written comes back, and anything else is refused."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.epochs import first_epoch
from tests.client.fake_server import FakeServer
from tests.client.test_uploading import items
from tpsi import DecodeError, Voucher
from tpsi_client import Device, HomeError
from tpsi_client.container import MAGIC, MAX_VOUCHER, read_vouchers, write_vouchers

VOUCHERS = st.lists(st.binary(min_size=1, max_size=300), max_size=20)


def written(vouchers: list[bytes]) -> bytes:
    stream = BytesIO()
    write_vouchers(stream, vouchers)
    return stream.getvalue()


class TestFormat:
    @given(VOUCHERS)
    def test_what_is_written_comes_back(self, vouchers: list[bytes]) -> None:
        assert list(read_vouchers(BytesIO(written(vouchers)))) == vouchers

    def test_the_layout_octet_by_octet(self) -> None:
        assert written([b"abc", b"d"]) == b"TPSIVB1\n" + b"\0\0\0\3abc" + b"\0\0\0\1d"

    @given(VOUCHERS, st.data())
    def test_a_cut_file_is_refused_or_ends_between_vouchers(self, vouchers: list[bytes], data: st.DataObject) -> None:
        whole = written(vouchers)
        cut = whole[: data.draw(st.integers(0, len(whole)))]
        try:
            found = list(read_vouchers(BytesIO(cut)))
        except DecodeError:
            return
        assert found == vouchers[: len(found)]
        assert written(found) == cut

    @given(st.binary(max_size=100))
    def test_anything_else_is_refused(self, data: bytes) -> None:
        if not data.startswith(MAGIC):
            with pytest.raises(DecodeError, match="not a file of vouchers"):
                list(read_vouchers(BytesIO(data)))

    @pytest.mark.parametrize("size", [0, MAX_VOUCHER + 1, 2**32 - 1])
    def test_lengths_that_no_voucher_has_are_refused(self, size: int) -> None:
        with pytest.raises(DecodeError, match="damaged"):
            list(read_vouchers(BytesIO(MAGIC + size.to_bytes(4, "big") + bytes(100))))


class TestExport:
    @pytest.fixture
    def loaded(self, device: Device) -> Device:
        device.queue(items(20))
        return device

    def test_exported_vouchers_are_those_that_an_upload_would_send(
        self, loaded: Device, server: FakeServer, tmp_path: Path
    ) -> None:
        assert loaded.export(tmp_path / "a.tpsivb") == 20
        with (tmp_path / "a.tpsivb").open("rb") as stream:
            exported = list(read_vouchers(stream))
        for data in exported:
            Voucher.decode(data, first_epoch().manifest)
        assert (loaded.status().queued, loaded.status().exported) == (20, 20)
        loaded.upload()
        assert server.behaviour.vouchers == exported

    def test_a_later_export_has_the_new_ones_only_unless_asked(self, loaded: Device, tmp_path: Path) -> None:
        loaded.export(tmp_path / "a.tpsivb")
        assert loaded.export(tmp_path / "b.tpsivb") == 0
        assert not (tmp_path / "b.tpsivb").exists()
        loaded.queue(items(23)[20:])
        assert loaded.export(tmp_path / "b.tpsivb") == 3
        assert loaded.export(tmp_path / "c.tpsivb", again=True) == 23

    def test_delivered_vouchers_leave_the_queue(self, loaded: Device, server: FakeServer, tmp_path: Path) -> None:
        loaded.export(tmp_path / "a.tpsivb")
        loaded.queue(items(23)[20:])
        assert loaded.delivered(tmp_path / "a.tpsivb") == 20
        assert (loaded.status().queued, loaded.status().acknowledged) == (3, 20)
        loaded.upload()
        assert len(server.behaviour.vouchers) == 3

    def test_an_existing_file_is_not_overwritten(self, loaded: Device, tmp_path: Path) -> None:
        path = tmp_path / "a.tpsivb"
        path.write_bytes(b"precious")
        with pytest.raises(HomeError, match="exists already"):
            loaded.export(path)
        assert path.read_bytes() == b"precious"
        assert loaded.status().exported == 0

    @pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"x" + data, lambda data: data + b"\0"])
    def test_a_damaged_file_is_not_taken_for_delivered(self, loaded: Device, tmp_path: Path, spoil: object) -> None:
        path = tmp_path / "a.tpsivb"
        loaded.export(path)
        path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
        with pytest.raises(DecodeError):
            loaded.delivered(path)
        assert loaded.status().queued == 20
