"""Probes come in exact order: every balanced set of bits once, by the sum of distances, the hash itself first."""

from collections.abc import Iterator
from itertools import combinations, islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pictures.files import encode, photograph
from tests.pictures.recipes import picture
from tpsi.errors import CallerError
from tpsi.pictures import PERCEPTUAL, Coefficients, PerceptualHasher, Picture, flips, hasher, probes, reach

#: Few bits, so that all balanced sets can be listed; whole numbers, so that many sums are equal.
SMALL = st.lists(st.integers(-6, 6), min_size=2, max_size=10)


def made(values: list[int]) -> Coefficients:
    """Coefficients with the median as threshold, as the DCT hashes have it."""
    row = np.array(values, np.float64)
    return Coefficients(row, float(np.median(row)), 100)


def balanced_sets(coefficients: Coefficients) -> Iterator[tuple[float, int]]:
    """Every balanced set, in no order: the sum of distances from the median, and the mask."""
    bits = (coefficients.values > coefficients.threshold).tolist()
    size = 8 * len(coefficients.digest())
    ones = [place for place, bit in enumerate(bits) if bit]
    zeros = [place for place, bit in enumerate(bits) if not bit]
    for count in range(min(len(ones), len(zeros)) + 1):
        for up, down in product(combinations(ones, count), combinations(zeros, count)):
            distance = sum(abs(coefficients.values[place] - coefficients.threshold) for place in (*up, *down))
            yield float(distance), sum(1 << size - 1 - place for place in (*up, *down))


@settings(max_examples=150, deadline=None)
@given(SMALL)
def test_order_is_that_of_all_balanced_sets_sorted(values: list[int]) -> None:
    coefficients = made(values)
    expected = [mask for _, mask in sorted(balanced_sets(coefficients))]
    assert list(flips(coefficients)) == expected
    assert len(set(expected)) == len(expected)


@settings(max_examples=150, deadline=None)
@given(SMALL, st.integers(2, 40))
def test_two_probes_never_differ_in_more_bits_than_the_reach(values: list[int], count: int) -> None:
    chosen = [int.from_bytes(probe) for probe in probes(made(values), count)]
    assert max((one ^ other).bit_count() for one in chosen for other in chosen) <= reach(count)


def test_the_reach_of_usual_numbers_of_probes() -> None:
    assert [reach(count) for count in (1, 2, 3, 4, 10, 11, 16, 35, 36, 64, 126, 127, 256)] == [
        *(0, 2, 2, 4, 4, 6, 6, 6, 8, 8, 8, 10, 10),
    ]


def test_the_reach_is_attained_so_a_smaller_one_would_let_two_neighbours_be_listed() -> None:
    """Three light bits on each side: all twenty balanced sets of them come before any other."""
    coefficients = made([1, 1, 1, 90, 90, 90, -1, -1, -1, -90, -90, -90])
    chosen = [int.from_bytes(probe) for probe in probes(coefficients, 16)]
    assert max((one ^ other).bit_count() for one in chosen for other in chosen) == reach(16) == 6


@pytest.mark.parametrize("label", sorted(PERCEPTUAL))
def test_probes_of_photographs(label: str) -> None:
    found = hasher(label)
    assert isinstance(found, PerceptualHasher)
    for name in ("astronaut", "coffee", "chelsea"):
        photo = Picture.from_bytes(encode(photograph(name), "PNG"), name)
        chosen = found.probes(photo, 64)
        assert chosen[0] == found.hash(photo)
        assert len(set(chosen)) == 64
        assert chosen[:16] == found.probes(photo, 16)
        weights = {int.from_bytes(probe.digest).bit_count() for probe in chosen}
        assert weights == {found.coefficients(photo).values.size // 2}


def test_single_flips_can_never_match_a_copy() -> None:
    """A median leaves half the bits set in the picture and in its copy: they differ in as many ones as zeros."""
    found = hasher("dct80")
    original = photograph("camera")
    digest = int.from_bytes(found.hash(Picture.from_bytes(encode(original, "PNG"))).digest)
    copies = [encode(original.resize((side, side)), "JPEG", quality=30) for side in range(50, 150, 10)]
    differences = [int.from_bytes(found.hash(Picture.from_bytes(copy)).digest) ^ digest for copy in copies]
    assert any(differences)
    for difference in differences:
        assert difference.bit_count() % 2 == 0
        assert 2 * (difference & digest).bit_count() == difference.bit_count()


def test_a_probe_finds_a_copy_that_the_hash_alone_misses() -> None:
    found, original = hasher("dct80"), photograph("chelsea")
    listed = found.hash(Picture.from_bytes(encode(original, "PNG")))
    copies = [
        Picture.from_bytes(encode(original.resize((side, side)), "JPEG", quality=40)) for side in range(60, 200, 4)
    ]
    alone = sum(listed == found.hash(copy) for copy in copies)
    probed = sum(listed in found.probes(copy, 16) for copy in copies)
    assert alone < probed


def test_a_mirror_image_is_found_by_mirrored_probes_only() -> None:
    original = photograph("coffee")
    listed = hasher("dct80").hash(Picture.from_bytes(encode(original, "PNG")))
    mirrored = encode(original.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG")
    copy = Picture.from_bytes(mirrored)
    assert listed not in hasher("dct80").probes(copy, 256)
    assert listed in hasher("dct80").probes(copy, 16, mirrored=True)


def test_a_list_hashed_with_another_filter_is_not_found() -> None:
    """So the resampler is part of the hash type: between bicubic and Lanczos bits change in most small pictures."""
    changed = 0
    for seed in range(20):
        image = picture("noise", seed, 300, 200)
        other = image.convert("L").resize((48, 48), Image.Resampling.BILINEAR).convert("RGB")
        digests = [hasher("dct80").hash(Picture.from_bytes(encode(one, "PNG"))).digest for one in (image, other)]
        changed += digests[0] != digests[1]
    assert changed >= 10


def test_pdq_depends_on_the_size_of_its_input() -> None:
    original = photograph("coffee")
    sizes = [original, original.resize((512, 512), Image.Resampling.LANCZOS)]
    full, fixed = (hasher("pdq").hash(Picture.from_bytes(encode(image, "PNG"))) for image in sizes)
    assert full != fixed


def test_fewer_probes_than_asked_if_there_are_no_more() -> None:
    assert probes(made([1, -1]), 16) == (bytes((0b10000000,)), bytes((0b01000000,)))
    assert list(islice(flips(made([5, 5])), 3)) == [0]
    with pytest.raises(CallerError, match="at least one probe"):
        probes(made([1, -1]), 0)


def test_a_file_digest_has_one_probe() -> None:
    photo = Picture.from_bytes(b"anything")
    assert hasher("md5").probes(photo, 16) == (hasher("md5").hash(photo),)
    with pytest.raises(CallerError, match="no mirror image"):
        hasher("md5").probes(photo, 16, mirrored=True)
