"""Errors that a prover cancels by choosing among alternative entries: it works against RFC 9497's coefficients.

There a pair's coefficient depends on that pair alone, so a prover tabulates, for several entries, what each of many
false images would contribute, and picks one from each table so that the contributions cancel: a k-list search. For full
coefficients that takes a large batch and an hour; here they are cut to 24 bits, and four lists and a second are enough.
"""

import numpy as np
import pytest

from tests.audit.making import refused
from tests.audit.rfc9497 import Rfc9497
from tests.support.drbg import Drbg
from tests.support.world import World, md5
from tpsi.audit import AbsenceProof, Reason, verify_absences
from tpsi.audit.absence import _transcript, _weigh_names
from tpsi.audit.dleq import Statement, prove, verify
from tpsi.audit.transcript import Transcript
from tpsi.groups import RISTRETTO255_SHA512, Group, Rows, group
from tpsi.labels import Label
from tpsi.table import canonical_items, hash_items

BITS = 24
LISTS = 4
CHOICES = 1024
NAMES = list(canonical_items(md5(f"absent {number}") for number in range(8)))


class Prover:
    """A server that wants to show false images of its first four entries."""

    def __init__(self) -> None:
        self.group: Group = group(RISTRETTO255_SHA512)
        self.world = World(range(30))
        self.scalar = self.world.built.secrets.scalar(self.group)
        self.key: Rows = np.frombuffer(self.world.manifest.key, np.uint8).reshape(1, -1)
        self.elements = hash_items(self.group, NAMES)
        self.images = self.group.multiply(self.scalar, self.elements)
        self.error = self.group.multiply_base(self.group.random_scalars(1, Drbg("error")))

    def false(self, entry: int) -> Rows:
        """(CHOICES, 32): the image of an entry with the error added 1, 2 … times; taken away, for odd entries."""
        step = self.error if entry % 2 == 0 else self.group.subtract(np.zeros_like(self.error), self.error)
        steps = self.group.multiply(self.group.encode_scalars(range(1, CHOICES + 1)), step)
        return self.group.add(self.images[entry : entry + 1], steps)

    def with_false(self, choices: list[int]) -> Rows:
        """The images with one false one for each of the first entries."""
        images = self.images.copy()
        for entry, choice in enumerate(choices):
            images[entry] = self.false(entry)[choice]
        return images


@pytest.fixture(scope="module", name="prover")
def _prover() -> Prover:
    return Prover()


@pytest.fixture(scope="module", name="chosen")
def _chosen(prover: Prover) -> list[int]:
    return search(prover)


def search(prover: Prover) -> list[int]:
    """For every entry the choice whose coefficients cancel: Σ ± (choice + 1)·d = 0."""
    rfc, tables = Rfc9497(prover.group, "ristretto255-SHA512", BITS), []
    for entry in range(LISTS):
        element = prover.elements[entry].tobytes()
        rows = [rfc.coefficient(prover.key, entry, element, image.tobytes()) for image in prover.false(entry)]
        factors = np.array(prover.group.decode_scalars(np.concatenate(rows)), np.int64)
        tables.append(factors * np.arange(1, CHOICES + 1) * (1 if entry % 2 == 0 else -1))
    left = (tables[0][:, None] + tables[1][None, :]).ravel()
    right = -(tables[2][:, None] + tables[3][None, :]).ravel()
    common, first, second = np.intersect1d(left, right, return_indices=True)
    assert len(common)
    return [int(place) for index in (first[0], second[0]) for place in divmod(index, CHOICES)]


def test_cancelled_errors_pass_with_coefficients_of_single_pairs(prover: Prover, chosen: list[int]) -> None:
    rfc, images = Rfc9497(prover.group, "ristretto255-SHA512", BITS), prover.with_false(chosen)
    assert (images[:LISTS] != prover.images[:LISTS]).any(axis=1).all()
    m, z = rfc.composites(prover.key, prover.elements, images)
    generator = prover.group.multiply_base(prover.group.encode_scalars([1]))
    statement = Statement(np.concatenate([generator, m]), np.concatenate([prover.key, z]))
    challenge, nonce = rfc.challenge(prover.key, (m, z)), prover.group.random_scalars(1, Drbg("nonce"))
    assert verify(prover.group, statement, prove(prover.group, statement, prover.scalar, nonce, challenge), challenge)


def test_cancelled_errors_are_caught_with_weights_of_the_whole_transcript(prover: Prover, chosen: list[int]) -> None:
    images, manifest = prover.with_false(chosen), prover.world.manifest
    transcript = _transcript(manifest, NAMES, images)
    weighted = _weigh_names(transcript, NAMES, lambda *_: None)
    proof = transcript.prove(prover.key, weighted, prover.scalar, Drbg("prover"))
    with refused(Reason.WRONG_PROOF):
        verify_absences(manifest, prover.world.built.table.cells, NAMES, AbsenceProof(manifest.digest, images, proof))


def test_no_choice_among_many_cancels_even_if_weights_are_as_short(prover: Prover, chosen: list[int]) -> None:
    """Another choice for one entry is another draw of all weights: nothing can be tabulated."""
    images = prover.with_false(chosen)
    alternatives = prover.false(0)
    factors = [(choice + 1) * (1 if entry % 2 == 0 else -1) for entry, choice in enumerate(chosen)]
    for choice in range(CHOICES):
        images[0] = alternatives[choice]
        weights = short(_transcript(prover.world.manifest, NAMES, images))
        assert sum(w * f for w, f in zip(weights, [choice + 1, *factors[1:]], strict=False))


def short(transcript: Transcript) -> list[int]:
    """The weights, cut as the coefficients are."""
    return [int.from_bytes(row.tobytes(), "big") % 2**BITS for row in transcript.weights(0, len(NAMES))]


def test_every_weight_depends_on_every_pair(prover: Prover) -> None:
    before = short(_transcript(prover.world.manifest, NAMES, prover.images))
    after = short(_transcript(prover.world.manifest, NAMES, prover.with_false([0])))
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_weights_are_the_same_wherever_one_starts() -> None:
    transcript = Transcript.of(group(RISTRETTO255_SHA512), Label.AUDIT_TABLE, b"pieces")
    whole = transcript.weights(0, 1000)
    for start, count in ((0, 1), (255, 2), (256, 256), (300, 700), (999, 1)):
        assert np.array_equal(transcript.weights(start, count), whole[start : start + count])
