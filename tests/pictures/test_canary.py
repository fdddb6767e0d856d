"""The canary's bytes are fixed, a device reproduces its hashes, and a wrong device is found out."""

import ast
import sys
from pathlib import Path

import imagehash
import numpy as np
import pytest

import tpsi.canary
from tpsi.canary import CANARY_HASHES, CANARY_NAME, canary_picture
from tpsi.items import ItemHash
from tpsi.pictures import HASHERS, Mismatch, PerceptualHasher, Picture, check_hashers, hasher


def test_canary_is_a_lossless_picture_of_known_size() -> None:
    image = Picture.from_bytes(canary_picture()).image
    assert image.size == (192, 144)
    assert len(canary_picture()) == 83161
    assert CANARY_NAME == "tpsi-canary-1"
    corner = np.asarray(image)[0, 0].tolist()
    assert corner == list(tpsi.canary._lattice()[:3])


def test_a_right_device_agrees_on_every_type() -> None:
    assert set(CANARY_HASHES) == set(HASHERS)
    assert check_hashers(HASHERS, canary_picture(), CANARY_HASHES) == []


def test_the_published_hashes_are_those_of_other_implementations() -> None:
    """PDQ's was made with pdqhash 0.2.8; that this device's PDQ is the reference's, the vectors show."""
    assert str(imagehash.phash(Picture.from_bytes(canary_picture()).image)) == CANARY_HASHES["phash"]
    for label, digest in CANARY_HASHES.items():
        assert ItemHash(label, bytes.fromhex(digest)).digest.hex() == digest


@pytest.mark.parametrize("label", ["pdq", "phash", "dct64", "dct80", "dct100", "dct128"])
def test_the_canary_is_far_from_degenerate(label: str) -> None:
    perceptual = hasher(label)
    assert isinstance(perceptual, PerceptualHasher)
    coefficients = perceptual.coefficients(Picture.from_bytes(canary_picture()))
    assert coefficients.quality == 100
    margins = np.sort(np.abs(coefficients.values - coefficients.threshold))
    assert margins[1] > margins[-1] / 10_000


def test_a_device_that_hashes_otherwise_is_found_out() -> None:
    wrong = CANARY_HASHES | {"pdq": "00" * 32}
    (mismatch,) = check_hashers(["sha256", "pdq", "phash"], canary_picture(), wrong)
    assert mismatch == Mismatch("pdq", "00" * 32, CANARY_HASHES["pdq"])
    assert str(mismatch) == f"pdq: expected {'00' * 32}, but this device computes {CANARY_HASHES['pdq']}"


def test_what_cannot_be_checked_is_a_mismatch_too() -> None:
    unpublished, unknown = check_hashers(["sha256", "neuralhash"], canary_picture(), {"neuralhash": "00" * 12})
    assert unpublished == Mismatch("sha256", None, CANARY_HASHES["sha256"])
    assert "can't be checked" in str(unpublished)
    assert unknown == Mismatch("neuralhash", "00" * 12, None)
    assert "can't be computed here" in str(unknown)


def test_altered_canary_is_found_out() -> None:
    altered = bytearray(canary_picture())
    altered[1000] ^= 1
    found = {mismatch.type for mismatch in check_hashers(HASHERS, bytes(altered), CANARY_HASHES)}
    assert found == set(HASHERS)


def test_the_canary_needs_the_standard_library_only() -> None:
    source = Path(str(tpsi.canary.__file__)).read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    assert imported <= sys.stdlib_module_names
