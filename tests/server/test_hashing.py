"""`tpsi-server hash`: an operator's own pictures become a list that devices agree with."""

import errno
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures.files import encode, photograph
from tests.server.site import Site
from tpsi import ItemHash
from tpsi.errors import CallerError
from tpsi.pictures import Picture, hasher
from tpsi_server.errors import OperatorError
from tpsi_server.hashing import Hashed, Refused, hash_pictures
from tpsi_server.importing import ImportOptions, import_list

NAMES = ("astronaut", "chelsea", "coffee")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three photographs, one of them in a folder below; a blank one, and a file that is no picture."""
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    for name in NAMES:
        where = folder / "below" if name == "coffee" else folder
        (where / f"{name}.png").write_bytes(encode(photograph(name), "PNG"))
    (folder / "blank.png").write_bytes(encode(Image.new("RGB", (300, 200), "white"), "PNG"))
    (folder / "odd.jpg").write_bytes(b"no picture")
    return folder


def test_the_hashes_are_those_of_a_device(pictures: Path) -> None:
    found = [one for one in hash_pictures(pictures, "dct80", "pdq") if isinstance(one, Hashed)]
    assert {one.name for one in found} == {"astronaut.png", "chelsea.png", "below/coffee.png"}
    for one in found:
        picture = Picture.read(pictures / one.name)
        assert one.item == hasher("dct80").hash(picture)
        assert one.companion == hasher("pdq").hash(picture)


def test_pictures_without_a_hash_are_named_with_the_reason(pictures: Path) -> None:
    reasons = [one.reason for one in hash_pictures(pictures, "dct80", None) if isinstance(one, Refused)]
    assert len(reasons) == 2
    assert "blank.png: shows too little" in reasons[0]
    assert "odd.jpg: not a picture" in reasons[1]


@pytest.mark.parametrize("form", ["csv", "lines"])
def test_what_is_written_can_be_imported(site: Site, pictures: Path, tmp_path: Path, form: str) -> None:
    from tpsi_server.cli.app import app

    written = tmp_path / "list.txt"
    app(["hash", str(pictures), "--output", str(written), "--format", form], standalone_mode=False)
    with site.store() as store:
        result = import_list(store, written, "own", ImportOptions())
        listed = set(store.lists.items("own"))
    assert not result.report.refused
    assert listed == {hasher("dct80").hash(Picture.from_bytes(encode(photograph(name), "PNG"))) for name in NAMES}


def test_a_list_that_cannot_be_written_leaves_the_old_one(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tpsi_server.cli.app import app

    written = tmp_path / "list.csv"
    written.write_text("as it was")
    monkeypatch.setattr("os.fsync", _full)
    with pytest.raises(OperatorError, match="cannot be written"):
        app(["hash", str(pictures), "--output", str(written)], standalone_mode=False)
    assert written.read_text() == "as it was"


def _full(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_second_hash_is_not_listed_itself(site: Site, pictures: Path, tmp_path: Path) -> None:
    from tpsi_server.cli.app import app

    written = tmp_path / "list.csv"
    app(["hash", str(pictures), "--output", str(written)], standalone_mode=False)
    header, *rows = written.read_text().splitlines()
    assert header == "dct80,companion,name"
    assert all(row.split(",")[1].startswith("pdq64:") for row in rows)
    with site.store() as store:
        import_list(store, written, "own", ImportOptions())
        assert {item.type for item in store.lists.items("own")} == {"dct80"}


def test_a_hash_that_no_picture_can_have_is_refused_at_import(site: Site, tmp_path: Path) -> None:
    """A `dct80` has forty of its bits set; one with another number would lie on the list for nothing."""
    written = tmp_path / "list.txt"
    written.write_text(f"dct80:{'0f' * 10}\ndct80:{'0f' * 9}1f\n")
    with site.store() as store:
        result = import_list(store, written, "other", ImportOptions())
        assert list(store.lists.items("other")) == [ItemHash("dct80", b"\x0f" * 10)]
    assert "half of its bits" in str(result.report.refusals[0])


def test_what_cannot_be_asked_for(pictures: Path) -> None:
    with pytest.raises(OperatorError, match="another type"):
        list(hash_pictures(pictures, "pdq", "pdq"))
    with pytest.raises(CallerError, match="no way to compute"):
        list(hash_pictures(pictures, "neuralhash", None))
