"""Files: atomic writes, the data folder, bundles of vouchers, exported reveals."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.site import Site
from tests.support.server_data import COST, PASSPHRASE
from tpsi import DecodeError, Photograph, Secret, seal_original
from tpsi.errors import CallerError
from tpsi_proto import tpsi_pb2
from tpsi_server import DataError, DataFolder, OperatorError, Reason, ServeSettings, TlsOptions
from tpsi_server.bundle import MAX_VOUCHER, read_bundle, write_bundle
from tpsi_server.export import export_reveal
from tpsi_server.files import read_bounded, write_atomically
from tpsi_server.setup import set_up
from tpsi_server.store import Reveal

KEY = bytes(range(32))


def reveal(number: int, associated: bytes) -> Reveal:
    return Reveal(bytes([number]) * 16, associated, 1.0, 2.0, 1)


def test_reasons_are_those_of_the_contract() -> None:
    assert [reason.name for reason in Reason] == list(tpsi_pb2.Reason.keys())[1:]
    assert all(reason.value == reason.name for reason in Reason)


# ---------------------------------------------------------------- atomic writes


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space") as error:
        write_atomically(path, b"new")
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_must_be_new_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old", replace=False)
    with pytest.raises(FileExistsError):
        write_atomically(path, b"new", replace=False)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_private(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_reading_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bounded(tmp_path / "file", 5) == b"12345"
    with pytest.raises(DataError, match="more than 4 octets"):
        read_bounded(tmp_path / "file", 4)


# ---------------------------------------------------------------- the data folder


def test_a_data_folder_is_private_and_knows_its_identity(empty_site: Site) -> None:
    folder = empty_site.folder
    identity = folder.identity()
    assert (identity.name, len(identity.list_id), len(identity.server_key)) == ("a test list", 16, 32)
    assert {path.stat().st_mode & 0o077 for path in folder.path.rglob("*")} == {0}


def test_keys_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data", tmp_path / "safe" / "keys")
    set_up(folder, "a list", PASSPHRASE, cost=COST)
    assert {path.name for path in (tmp_path / "safe" / "keys").iterdir()} == {".lock", "server.key", "data-1.key"}
    assert not (tmp_path / "data" / "keys").exists()


def test_a_folder_is_set_up_once(empty_site: Site) -> None:
    before = empty_site.folder.identity()
    with pytest.raises(OperatorError, match="set up already"):
        set_up(empty_site.folder, "another", PASSPHRASE, cost=COST)
    assert empty_site.folder.identity() == before


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
def test_an_unusable_name_makes_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(CallerError):
        set_up(DataFolder.at(tmp_path / "data"), name, PASSPHRASE, cost=COST)
    assert not (tmp_path / "data").exists()


def test_an_interrupted_set_up_can_be_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = DataFolder.at(tmp_path / "data")

    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DataFolder, "write_identity", interrupt)
        with pytest.raises(KeyboardInterrupt):
            set_up(folder, "a list", PASSPHRASE, cost=COST)
    set_up(folder, "a list", PASSPHRASE, cost=COST)


def test_an_existing_key_is_not_lost_by_another_set_up(empty_site: Site) -> None:
    empty_site.folder.server_file.unlink()
    before = empty_site.keys().signing_key_path.read_bytes()
    with pytest.raises(OperatorError, match="already"):
        set_up(empty_site.folder, "another", PASSPHRASE, cost=COST)
    assert empty_site.keys().signing_key_path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"tpsi_server": 1}', b'{"tpsi_server": 1, "list": 5}', b"\xff"]
)
def test_a_damaged_identity_is_said_to_be_damaged(empty_site: Site, content: bytes) -> None:
    empty_site.folder.server_file.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        empty_site.folder.identity()


@pytest.mark.parametrize("value", [{}, [], True, 5, float("nan")])
def test_a_database_that_is_named_by_no_text_is_said_to_be_wrong(empty_site: Site, value: object) -> None:
    file = empty_site.folder.server_file
    file.write_text(json.dumps(json.loads(file.read_bytes()) | {"database": value}))
    with pytest.raises(DataError, match='"database" is a text'):
        _ = empty_site.folder.location


def test_a_folder_without_identity_is_no_data_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tpsi-server init"):
        DataFolder.at(tmp_path).identity()


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: ServeSettings(folder, Secret(b"x"), port=65_536),
        lambda folder: ServeSettings(folder, Secret(b"x"), workers=-1),
        lambda folder: ServeSettings(folder, Secret(b"x"), host=""),
        lambda _folder: TlsOptions(certificate=Path("x")),
        lambda _folder: TlsOptions(disabled=True, names=("x",)),
    ],
)
def test_impossible_settings_are_refused(tmp_path: Path, make: Callable[[DataFolder], object]) -> None:
    with pytest.raises(CallerError):
        make(DataFolder.at(tmp_path))


# ---------------------------------------------------------------- bundles


def bundle(*vouchers: bytes) -> bytes:
    file = io.BytesIO()
    assert write_bundle(file, vouchers) == len(vouchers)
    return file.getvalue()


def test_a_bundle_has_the_documented_form() -> None:
    assert bundle(b"abc", b"d") == b"TPSIVB1\n\0\0\0\x03abc\0\0\0\x01d"
    assert list(read_bundle(io.BytesIO(bundle(b"abc", b"d")))) == [b"abc", b"d"]
    assert list(read_bundle(io.BytesIO(bundle()))) == []


@pytest.mark.parametrize("content", [b"", b"TPSIVB", b"TPSIVB2\n", b"PK\x03\x04 and so on"])
def test_other_files_are_not_taken_for_bundles(content: bytes) -> None:
    with pytest.raises(DecodeError, match="not a file of vouchers"):
        list(read_bundle(io.BytesIO(content)))


def test_a_bundle_cut_off_anywhere_is_an_error() -> None:
    whole = bundle(b"abc", b"defg")
    complete = {8, 8 + 7, len(whole)}  # between two vouchers nothing can be told
    for length in range(8, len(whole)):
        if length not in complete:
            with pytest.raises(DecodeError, match="cut off in voucher"):
                list(read_bundle(io.BytesIO(whole[:length])))


@pytest.mark.parametrize("length", [0, MAX_VOUCHER + 1, 2**32 - 1])
def test_an_impossible_length_is_refused_before_anything_is_read(length: int) -> None:
    with pytest.raises(DecodeError, match="impossible length"):
        list(read_bundle(io.BytesIO(b"TPSIVB1\n" + length.to_bytes(4, "big"))))


# ---------------------------------------------------------------- exported reveals


def test_an_export_has_derivatives_originals_and_an_index(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    (originals / f"{'01' * 16}.sealed").write_bytes(seal_original(KEY, b"the original"))
    (originals / f"{'03' * 16}.sealed").write_bytes(b"rubbish")
    photographs = [Photograph(KEY, b"jpeg").encode()] * 3
    reveals = [reveal(n, data) for n, data in enumerate([*photographs, b"other data"], 1)]
    done = export_reveal("alice", reveals, tmp_path / "out", originals)
    assert (done.items, done.derivatives, done.originals, len(done.problems)) == (4, 3, 1, 2)
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index["account"] == "alice"
    files = [(item["derivative"], item["original"], item["data"]) for item in index["items"]]
    assert files[0] == (f"{'01' * 16}.jpg", f"{'01' * 16}.original", None)
    assert files[3] == (None, None, f"{'04' * 16}.data")
    assert (tmp_path / "out" / f"{'01' * 16}.original").read_bytes() == b"the original"
    assert (tmp_path / "out" / f"{'02' * 16}.jpg").read_bytes() == b"jpeg"
    assert (tmp_path / "out" / f"{'04' * 16}.data").read_bytes() == b"other data"
    assert KEY.hex() not in (tmp_path / "out" / "index.json").read_text()
    assert "no encrypted original" in index["items"][1]["problem"]
    assert "does not open" in index["items"][2]["problem"]


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OperatorError, match="already"):
        export_reveal("alice", [reveal(1, b"x")], tmp_path / "out")


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def reveals() -> object:
        yield reveal(1, b"x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_reveal("alice", reveals(), tmp_path / "out")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_export_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="nothing was revealed"):
        export_reveal("alice", [], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_exported_files_are_private(tmp_path: Path) -> None:
    export_reveal("alice", [reveal(1, b"x")], tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
