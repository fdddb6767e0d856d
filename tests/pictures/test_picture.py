"""Reading files: what has hashes of its bytes, what is decoded, and when."""

import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures.files import encode, photograph
from tests.pictures.recipes import picture
from tpsi.errors import CallerError, TpsiError
from tpsi.items import ItemHash
from tpsi.pictures import HASHERS, Coefficients, Limits, Picture, PictureError, hasher
from tpsi.pictures.decode import decode

PHOTO = encode(picture("smooth", 11, 320, 240), "PNG")


@pytest.mark.parametrize("content", [b"", b"some text", PHOTO], ids=["empty", "text", "picture"])
@pytest.mark.parametrize("label", ["md5", "sha1", "sha256", "sha512"])
def test_every_file_has_file_hashes(tmp_path: Path, content: bytes, label: str) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    expected = ItemHash(label, hashlib.new(label, content).digest())
    assert hasher(label).hash(Picture.read(file)) == expected
    assert hasher(label).hash(Picture.from_bytes(content, "photo.jpg")) == expected


def test_file_above_the_limit_has_file_hashes_but_is_not_decoded(tmp_path: Path) -> None:
    file = tmp_path / "big.png"
    file.write_bytes(PHOTO)
    large = Picture.read(file, Limits(max_file_bytes=1000))
    assert hasher("sha256").hash(large).digest == hashlib.sha256(PHOTO).digest()
    with pytest.raises(PictureError, match=r"big\.png: too large to decode, the limit is 1000 bytes; skipped"):
        hasher("pdq").hash(large)


def test_large_file_that_vanishes_is_a_picture_error(tmp_path: Path) -> None:
    file = tmp_path / "big.png"
    file.write_bytes(PHOTO)
    large = Picture.read(file, Limits(max_file_bytes=1000))
    file.unlink()
    with pytest.raises(PictureError, match="can't be read"):
        hasher("sha256").hash(large)


def test_decoded_once_and_only_when_pixels_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []

    def spy(data: bytes, name: str, limits: Limits) -> Image.Image:
        opened.append(data)
        return decode(data, name, limits)

    monkeypatch.setattr("tpsi.pictures.decode.decode", spy)
    photo = Picture.from_bytes(PHOTO)
    hasher("sha256").hash(photo)
    assert not opened
    hasher("pdq").hash(photo)
    hasher("phash").hash(photo)
    assert len(opened) == 1


def test_missing_file_folder_and_pipe_are_picture_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("missing.jpg", "folder.jpg", "pipe.jpg", "x" * 5000):
        with pytest.raises(PictureError, match=rf"{name[:20]}.*; skipped"):
            Picture.read(tmp_path / name)


def test_file_name_cannot_steer_the_terminal() -> None:
    with pytest.raises(PictureError) as caught:
        _ = Picture.from_bytes(b"x", "evil\n\x1b[2J\udc80" + "n" * 500 + ".jpg").image
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 250


def test_a_picture_does_not_print_its_bytes() -> None:
    assert "PNG" not in repr(Picture.from_bytes(PHOTO, "a.png"))


def test_perceptual_hash_survives_reencoding() -> None:
    original = Picture.from_bytes(encode(photograph("astronaut"), "PNG"))
    copy = Picture.from_bytes(encode(original.image, "JPEG", quality=90))
    for label, most in (("pdq", 10), ("phash", 2)):
        numbers = [int.from_bytes(hasher(label).hash(each).digest) for each in (original, copy)]
        assert (numbers[0] ^ numbers[1]).bit_count() <= most
    assert hasher("sha256").hash(original) != hasher("sha256").hash(copy)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (4, 4)])
def test_too_small_a_picture_has_no_pdq(size: tuple[int, int]) -> None:
    tiny = Picture.from_bytes(encode(picture("noise", 1, *size), "PNG"), "tiny.png")
    with pytest.raises(PictureError, match=r"tiny\.png: shows too little for a pdq hash .*quality 0.*; skipped"):
        hasher("pdq").hash(tiny)


def test_hash_types() -> None:
    dct = [f"dct{bits}" for bits in (100, 128, 64, 80)]
    assert sorted(HASHERS) == [*dct, "md5", "pdq", "phash", "sha1", "sha256", "sha512"]
    assert all(hasher(label).type == label for label in HASHERS)
    with pytest.raises(
        CallerError, match=r"no way to compute 'neuralhash' hashes here; known are dct100, .*md5, pdq, "
    ):
        hasher("neuralhash")


def test_threads_may_share_the_decoder() -> None:
    results: list[bytes] = []

    def work() -> None:
        results.extend(hasher("phash").hash(Picture.from_bytes(PHOTO)).digest for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert len(set(results)) == 1


def test_malformed_coefficients_are_refused() -> None:
    for values, quality in ((np.zeros((8, 8)), 0), (np.zeros(0), 0), (np.zeros(8), 101)):
        with pytest.raises(CallerError):
            Coefficients(values, 0.0, quality)


def test_picture_error_is_one_of_ours() -> None:
    assert issubclass(PictureError, TpsiError)
    assert PictureError.code == "PICTURE_UNUSABLE"
