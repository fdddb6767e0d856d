"""Proofs that named items are not in a table, for one and for many, and attacks (specification, section 15.4)."""

from dataclasses import replace

import numpy as np
import pytest

from tests.audit.making import NAMES, listed, refused
from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World, md5
from tpsi import CallerError, DecodeError
from tpsi.audit import AbsenceProof, Reason, prove_absences, verify_absences
from tpsi.audit.absence import _transcript, _weigh_names
from tpsi.audit.dleq import Proof
from tpsi.groups import Rows

CASES = [(RISTRETTO, "fuse"), (RISTRETTO, "cuckoo"), (P256, "fuse"), (P256, "cuckoo")]
ABSENT = listed([f"absent {number}" for number in range(8)])


@pytest.fixture(scope="module", name="world", params=CASES, ids=lambda case: f"{case[0][5:9]}-{case[1]}")
def _world(request: pytest.FixtureRequest) -> World:
    suite, encoding = request.param
    return World(NAMES, suite, encoding)


def prove(world: World, names: list[bytes]) -> AbsenceProof:
    return prove_absences(world.manifest, world.built.table.cells, world.built.secrets, names, rng=Drbg("prover"))


def verify(world: World, names: list[bytes], proof: AbsenceProof) -> None:
    verify_absences(world.manifest, world.built.table.cells, names, proof)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_absent_names(world: World, count: int) -> None:
    names = ABSENT[:count]
    data = prove(world, names).encode()
    assert len(data) == 102 + count * world.manifest.group.element_size
    verify(world, names, AbsenceProof.decode(data, world.manifest))


def test_a_listed_name_gets_no_proof(world: World) -> None:
    with refused(Reason.LISTED):
        prove(world, sorted([*ABSENT, md5(0).encode()]))


def test_a_listed_name_with_a_true_value(world: World) -> None:
    """A server that proves what is true of a listed item shows that it is listed."""
    group, names = world.manifest.group, [md5(0).encode()]
    empty = replace(world.manifest, seed=bytes(32))  # looked up elsewhere, it is absent
    elsewhere = prove_absences(empty, world.built.table.cells, world.built.secrets, names)
    assert group.valid(elsewhere.values).all()
    transcript = _transcript(world.manifest, names, elsewhere.values)
    weighted = _weigh_names(transcript, names, lambda *_: None)
    key = np.frombuffer(world.manifest.key, np.uint8).reshape(1, -1)
    honest = transcript.prove(key, weighted, world.built.secrets.scalar(group), Drbg("x"))
    with refused(Reason.LISTED):
        verify(world, names, AbsenceProof(world.manifest.digest, elsewhere.values, honest))


def test_another_value_for_a_listed_name(world: World) -> None:
    names = [md5(0).encode()]
    proof = prove(world, ABSENT[:1])
    with refused(Reason.WRONG_PROOF):
        verify(world, names, proof)


def changed(world: World, values: Rows) -> AbsenceProof:
    return replace(prove(world, ABSENT), values=values)


def test_values_off_by_a_small_multiple(world: World) -> None:
    group, values = world.manifest.group, prove(world, ABSENT).values.copy()
    values[2] = group.multiply(group.encode_scalars([2]), values[2:3])[0]
    with refused(Reason.WRONG_PROOF):
        verify(world, ABSENT, changed(world, values))


def test_values_in_another_order(world: World) -> None:
    values = prove(world, ABSENT).values[::-1].copy()
    with refused(Reason.WRONG_PROOF):
        verify(world, ABSENT, changed(world, values))


@pytest.mark.parametrize("kind", ["identity", "not canonical"])
def test_values_that_are_no_elements(world: World, kind: str) -> None:
    values = prove(world, ABSENT).values.copy()
    values[1] = 0 if kind == "identity" else 0xFF
    with refused(Reason.INVALID_VALUE):
        verify(world, ABSENT, changed(world, values))


def test_fewer_or_more_names(world: World) -> None:
    proof = prove(world, ABSENT)
    for names in (ABSENT[:-1], sorted([*ABSENT, md5("one more").encode()]), []):
        with refused(Reason.ITEM_COUNT):
            verify(world, list(names), proof)


def test_other_names(world: World) -> None:
    names = sorted([*ABSENT[:-1], md5("another").encode()])
    with refused(Reason.WRONG_PROOF):
        verify(world, names, prove(world, ABSENT))


def test_names_twice_or_in_another_order(world: World) -> None:
    for names, reason in (
        ([*ABSENT[:-1], ABSENT[-2]], Reason.DUPLICATE_ITEM),
        (ABSENT[::-1], Reason.UNSORTED_LIST),
        ([b"no encoding", *ABSENT[1:]], Reason.MALFORMED_ITEM),
    ):
        with refused(reason):
            prove(world, names)
        with refused(reason):
            verify(world, names, prove(world, ABSENT))


def test_a_proof_of_another_epoch(world: World) -> None:
    later = replace(world.manifest, created=world.manifest.created + 1)
    proof = prove(world, ABSENT)
    with refused(Reason.OTHER_MANIFEST):
        AbsenceProof.decode(proof.encode(), later)
    with refused(Reason.OTHER_MANIFEST):
        verify_absences(later, world.built.table.cells, ABSENT, proof)
    with refused(Reason.WRONG_PROOF):
        verify_absences(later, world.built.table.cells, ABSENT, replace(proof, manifest_digest=later.digest))


def test_a_table_of_another_size(world: World) -> None:
    with refused(Reason.TABLE_SIZE):
        verify_absences(world.manifest, world.built.table.cells[1:], ABSENT, prove(world, ABSENT))


def test_a_public_key_that_is_the_identity(world: World) -> None:
    manifest = replace(world.manifest, key=bytes(len(world.manifest.key)))
    proof = replace(prove(world, ABSENT), manifest_digest=manifest.digest)
    with refused(Reason.INVALID_KEY):
        verify_absences(manifest, world.built.table.cells, ABSENT, proof)


def test_challenge_and_response_reordered(world: World) -> None:
    proof = prove(world, ABSENT)
    with refused(Reason.WRONG_PROOF):
        verify(world, ABSENT, replace(proof, proof=Proof(proof.proof.response, proof.proof.challenge)))


@pytest.mark.parametrize("cut", [0, 1, 2, 34, 98, 101, 102, 103, -1])
def test_a_truncated_proof(world: World, cut: int) -> None:
    data = prove(world, ABSENT).encode()
    with pytest.raises(DecodeError):
        AbsenceProof.decode(data[:cut], world.manifest)


def test_octets_behind_a_proof_and_another_count(world: World) -> None:
    data = prove(world, ABSENT).encode()
    for wrong in (data + b"\0", data[:98] + b"\0\0\0\0", data[:101] + b"\7" + data[102:]):
        with pytest.raises(DecodeError):
            AbsenceProof.decode(wrong, world.manifest)


def test_no_names(world: World) -> None:
    with pytest.raises(CallerError, match="1 to 1048576"):
        prove(world, [])


def test_secrets_of_another_table(world: World) -> None:
    other = World(NAMES, world.suite, world.encoding, seed="other")
    with pytest.raises(CallerError, match="another table"):
        prove_absences(world.manifest, world.built.table.cells, other.built.secrets, ABSENT)


def test_a_bad_candidate_is_no_match(world: World) -> None:
    """A cell that is no element opens nothing: a name that reads it is absent, and its proof says no more."""
    cells = world.built.table.cells.copy()
    place = world.built.table.geometry.positions(ABSENT[:1], world.manifest.seed)[0][0]
    cells[place] = 0xFF
    verify_absences(world.manifest, cells, ABSENT, prove(world, ABSENT))
