"""Measuring one picture: at which probe each changed copy finds it, and what hashing it costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from recall.corpus import Sample
from recall.transformations import BENIGN, MIRROR, MIRRORED, encode
from tpsi.pictures import Picture, PictureError, hasher

#: The most probes that a list may ask for, and how many are timed.
DEEPEST, USUAL = 256, 16
#: The mirrored copy, looked for with the probes of its mirror image.
MIRROR_PROBED = "mirrored, with mirrored probes"


@dataclass(frozen=True, slots=True)
class Measured:
    """One picture under one hash type.

    `probes`: its own, the hash first; none if it shows too little. `found`: by change, the place of the picture's hash
    among the copy's probes, 0 for the first; None if it is not among DEEPEST. `seconds`: for hashing it with USUAL
    probes, decoding not counted.
    """

    name: str
    origin: str
    type: str
    probes: tuple[bytes, ...]
    found: Mapping[str, int | None]
    seconds: float


def measure(sample: Sample, types: Sequence[str]) -> list[Measured]:
    """A picture under every type, with all its changed copies."""
    copies = {name: Picture.from_bytes(change(sample.image), name) for name, change in BENIGN.items()}
    copies[MIRROR] = Picture.from_bytes(MIRRORED(sample.image), MIRROR)
    return [_measure(sample, copies, label) for label in types]


def measure_alone(sample: Sample, types: Sequence[str]) -> list[Measured]:
    """A picture under every type, without copies: for false matches only."""
    return [_measure(sample, {}, label) for label in types]


def _measure(sample: Sample, copies: Mapping[str, Picture], label: str) -> Measured:
    original = as_picture(sample.image, sample.name)
    own = probes_of(original, label, DEEPEST)
    found: dict[str, int | None] = {}
    if own and copies:
        found = {name: _place(own[0], copy, label) for name, copy in copies.items()}
        found[MIRROR_PROBED] = _place(own[0], copies[MIRROR], label, mirrored=True)
    began = time.perf_counter()
    probes_of(original, label, USUAL)
    return Measured(sample.name, sample.origin, label, own, found, time.perf_counter() - began)


def as_picture(image: Image.Image, name: str) -> Picture:
    """A picture whose pixels are decoded."""
    picture = Picture.from_bytes(encode(image, "PNG"), name)
    picture.image.load()
    return picture


def probes_of(picture: Picture, label: str, count: int, *, mirrored: bool = False) -> tuple[bytes, ...]:
    """The digests of a picture's probes; none if it shows too little."""
    try:
        return tuple(probe.digest for probe in hasher(label).probes(picture, count, mirrored=mirrored))
    except PictureError:
        return ()


def _place(digest: bytes, copy: Picture, label: str, *, mirrored: bool = False) -> int | None:
    probes = probes_of(copy, label, DEEPEST, mirrored=mirrored)
    return probes.index(digest) if digest in probes else None
