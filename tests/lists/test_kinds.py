"""Names of hash kinds, and records that cannot exist."""

import pytest

from tests.lists.conftest import digest
from tpsi.errors import CallerError
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, Deletion, Ignored, Reason, Refusal
from tpsi_server.lists.kinds import Kind, Kinds


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("MD5", "md5"),
        ("md5_hash", "md5"),
        ("MD5Hash", "md5"),
        ("md5sum", "md5"),
        ("File MD5", "md5"),
        ("HASH_VIDEO_MD5", "md5"),
        ("SHA-1", "sha1"),
        ("sha_256", "sha256"),
        ("SHA512 (hex)", "sha512"),
        ("PDQ", "pdq"),
        ("pdqHash", "pdq"),
        ("pHash", "phash"),
        ("NeuralHash", "neuralhash"),
    ],
)
def test_names_of_our_types(name: str, label: str) -> None:
    assert Kinds().of_column(name) == Kinds().of_type(name) == Kind(label, supported=True)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("PhotoDNA", "photodna"),
        ("pdna", "photodna"),
        ("photo_dna_hash", "photo_dna_hash"),
        ("ssvh-pdna", "ssvh-pdna"),
        ("TMK_PDQF", "tmk-pdqf"),
        ("pdq_ocr", "pdq-ocr"),
        ("url_md5", "url-md5"),
        ("sha3-256", "sha3-256"),
        ("SHA-384", "sha384"),
        ("dHash", "dhash"),
        ("Some New Hash \x1b[1m" + "x" * 90, "some-new-hash-1mxxxxxxxxxxxxxxxx"),
    ],
)
def test_names_of_foreign_hashes(name: str, label: str) -> None:
    assert Kinds().of_column(name) == Kind(label, supported=False)


@pytest.mark.parametrize("name", ["", "name", "url", "Image ID", "MediaSize", "raw_text", "tags", "Shape"])
def test_columns_that_hold_no_hashes(name: str) -> None:
    assert Kinds().of_column(name) is None


def test_unknown_name_in_the_place_of_a_type_is_a_foreign_kind() -> None:
    assert Kinds().of_type("Frobnicate!") == Kind("frobnicate", supported=False)
    assert Kinds().of_type("\u2603") == Kind("unnamed", supported=False)


def test_default_type_is_brought_to_its_label() -> None:
    assert Kinds("SHA-256").default_type == "sha256"
    assert Kinds("My.Type").of_type("my.type") == Kind("my.type", supported=True)
    for wrong in ("", "two words", "x" * 33):
        with pytest.raises(CallerError):
            Kinds(wrong)


def test_records_check_themselves() -> None:
    item = ItemHash("md5", bytes.fromhex(digest("md5")))
    with pytest.raises(CallerError, match="from 1"):
        Addition(item, 0)
    with pytest.raises(CallerError, match="from 1"):
        Refusal(-1, Reason.NO_HASH, "x")
    with pytest.raises(CallerError, match="from 1"):
        Ignored("x", 0)
    with pytest.raises(CallerError, match="an item, a provider's entry, or both"):
        Deletion(1)
