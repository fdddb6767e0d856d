"""Scanning a folder finds every picture once, in one order, and cannot be led astray."""

import os
from pathlib import Path

import pytest

from tpsi.pictures import PictureError, scan


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def found(folder: Path, every_file: bool = False) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in scan(folder, every_file=every_file)]


def test_pictures_are_found_recursively_and_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a.JPG", "sub/z.webp", "sub/deep/y.gif", "another/x.tiff", "c.jpeg", "d.avif")
    expected = ["a.JPG", "b.png", "c.jpeg", "d.avif", "another/x.tiff", "sub/z.webp", "sub/deep/y.gif"]
    assert found(tmp_path) == expected


def test_other_files_are_passed_over_unless_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "letter.txt", "program.eps", "noextension")
    assert found(tmp_path) == ["a.jpg"]
    assert found(tmp_path, every_file=True) == ["a.jpg", "letter.txt", "noextension", "program.eps"]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, ".hidden.jpg", ".cache/a.jpg", "seen/.b.jpg", "seen/c.jpg")
    assert found(tmp_path, every_file=True) == ["seen/c.jpg"]


def test_links_to_folders_are_not_followed_and_links_to_files_are(tmp_path: Path) -> None:
    fill(tmp_path, "sub/a.jpg")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "sub" / "a.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing.jpg")
    (tmp_path / "itself.jpg").symlink_to(tmp_path / "itself.jpg")
    assert found(tmp_path) == ["link.jpg", "sub/a.jpg"]


def test_pipes_and_folders_named_like_pictures_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    fill(tmp_path, "folder.jpg/a.jpg")
    assert found(tmp_path) == ["folder.jpg/a.jpg"]


def test_folder_that_vanishes_during_the_scan_is_reported(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "sub/b.jpg", "tail/c.jpg")
    reported: list[PictureError] = []
    paths = scan(tmp_path, unreadable=reported.append)
    assert next(paths).name == "a.jpg"
    (tmp_path / "sub" / "b.jpg").unlink()
    (tmp_path / "sub").rmdir()
    assert [path.name for path in paths] == ["c.jpg"]
    assert [str(error).endswith("skipped") for error in reported] == [True]


@pytest.mark.parametrize("name", ["missing", "file.jpg"])
def test_what_is_no_folder_is_refused_at_once(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "file.jpg")
    with pytest.raises(PictureError, match="folder can't be listed"):
        scan(tmp_path / name)
