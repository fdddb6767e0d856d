"""The proof of equal logarithms: the RFC's vectors, any bases, and forgeries."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audit.rfc9497 import Rfc9497
from tests.support.drbg import Drbg
from tpsi import DecodeError
from tpsi.audit.dleq import Proof, Statement, prove, verify
from tpsi.audit.transcript import Transcript
from tpsi.groups import SUITES, Group, Rows, group
from tpsi.labels import Label

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9497_oprf.json").read_text("utf-8"))
CASES = [
    pytest.param(vectors, vector, id=f"{vectors['identifier']}-{number}")
    for vectors in VECTORS["sets"]
    if vectors["mode"] == 1
    for number, vector in enumerate(vectors["vectors"], 1)
]


@pytest.fixture(name="suite", params=SUITES)
def _suite(request: pytest.FixtureRequest) -> Group:
    return group(request.param)


def rows(*encodings: str) -> Rows:
    return np.array([list(bytes.fromhex(encoding)) for encoding in encodings], np.uint8)


def generator(suite: Group) -> Rows:
    return suite.multiply_base(suite.encode_scalars([1]))


@pytest.mark.parametrize(("vectors", "vector"), CASES)
def test_proofs_of_the_rfc(vectors: dict[str, Any], vector: dict[str, Any]) -> None:
    suite = group(vectors["suite"])
    rfc, key = Rfc9497(suite, vectors["identifier"]), rows(vectors["pkSm"])
    m, z = rfc.composites(key, rows(*vector["BlindedElement"]), rows(*vector["EvaluationElement"]))
    statement = Statement(np.concatenate([generator(suite), m]), np.concatenate([key, z]))
    challenge = rfc.challenge(key, (m, z))
    proof = prove(suite, statement, rows(vectors["skSm"]), rows(vector["ProofRandomScalar"]), challenge)
    assert proof.encode().hex() == vector["Proof"]
    assert verify(suite, statement, Proof.decode(bytes.fromhex(vector["Proof"]), suite), challenge)


def example(suite: Group, seed: str = "dleq") -> tuple[Statement, Rows, Rows]:
    """Two bases of which neither is the generator, a scalar and a nonce."""
    rng = Drbg(seed)
    scalar, nonce, first, second = (suite.random_scalars(1, rng) for _ in range(4))
    bases = suite.multiply_base(np.concatenate([first, second]))
    return Statement(bases, suite.multiply(scalar, bases)), scalar, nonce


def test_any_two_bases(suite: Group) -> None:
    statement, scalar, nonce = example(suite)
    challenge = Transcript(suite, bytes(32)).challenge(statement)
    assert verify(suite, statement, prove(suite, statement, scalar, nonce, challenge), challenge)


def test_another_scalar_for_one_base(suite: Group) -> None:
    statement, scalar, nonce = example(suite)
    other = suite.encode_scalars([suite.decode_scalars(scalar)[0] + 1])
    images = np.concatenate([statement.images[:1], suite.multiply(other, statement.bases[1:])])
    false = Statement(statement.bases, images)
    challenge = Transcript(suite, bytes(32)).challenge(false)
    assert not verify(suite, false, prove(suite, false, scalar, nonce, challenge), challenge)


def test_base_chosen_after_the_challenge(suite: Group) -> None:
    """If the challenge did not depend on the second base, one could be computed to fit any image."""
    (statement, scalar, nonce), rng = example(suite), Drbg("forger")
    image = suite.multiply_base(suite.random_scalars(1, rng))  # that of some other element under some other scalar
    commitments = np.concatenate(
        [suite.multiply(nonce, statement.bases[:1]), suite.multiply_base(suite.random_scalars(1, rng))]
    )
    transcript = Transcript.of(suite, Label.AUDIT_TABLE, b"weak")

    def weak(_: Rows) -> Rows:
        return transcript.challenge(Statement(statement.bases[:1], statement.images[:1]))(commitments)

    c, k, r = (suite.decode_scalars(row)[0] for row in (weak(commitments), scalar, nonce))
    s = (r - c * k) % suite.order
    difference = suite.subtract(commitments[1:], suite.multiply(suite.encode_scalars([c]), image))
    base = suite.multiply(suite.encode_scalars([pow(s, -1, suite.order)]), difference)
    forged = Statement(np.concatenate([statement.bases[:1], base]), np.concatenate([statement.images[:1], image]))
    proof = Proof(weak(commitments).tobytes(), suite.encode_scalars([s]).tobytes())
    assert verify(suite, forged, proof, weak)
    assert not np.array_equal(suite.multiply(scalar, base), image)
    assert not verify(suite, forged, proof, transcript.challenge(forged))


@pytest.mark.parametrize("place", [0, 1])
def test_scalar_that_is_not_below_the_order(suite: Group, place: int) -> None:
    statement, scalar, nonce = example(suite)
    challenge = Transcript(suite, bytes(32)).challenge(statement)
    data = bytearray(prove(suite, statement, scalar, nonce, challenge).encode())
    little = suite.encode_scalars([1])[0, 0] == 1
    part = slice(32 * place, 32 * place + 32)
    value = int.from_bytes(data[part], "little" if little else "big") % 2**128 + suite.order
    data[part] = value.to_bytes(32, "little" if little else "big")
    with pytest.raises(DecodeError, match="not below"):
        Proof.decode(bytes(data), suite)


def test_a_proof_of_another_length(suite: Group) -> None:
    with pytest.raises(DecodeError, match="64 octets"):
        Proof.decode(bytes(65), suite)


def test_nonce_of_a_generator_that_repeats(suite: Group) -> None:
    """A machine that was copied draws the same octets again: another statement still gets another nonce."""
    transcript, (first, scalar, _) = Transcript(suite, bytes(32)), example(suite)
    second = example(suite, "other")[0]
    nonces = [transcript.nonce(scalar, bytes(32), statement).tobytes() for statement in (first, second)]
    nonces.append(Transcript(suite, b"\1" * 32).nonce(scalar, bytes(32), first).tobytes())
    nonces.append(transcript.nonce(suite.encode_scalars([5]), bytes(32), first).tobytes())
    assert len(set(nonces)) == 4
