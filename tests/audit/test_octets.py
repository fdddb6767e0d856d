"""Proofs as octets: what a decoder accepts is what the encoder makes, and nothing makes it fail in another way."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.making import NAMES, Served, listed
from tests.support.drbg import Drbg
from tests.support.world import P256, RISTRETTO, World
from tpsi import CallerError, DecodeError, Secret
from tpsi.audit import MAX_NAMES, AbsenceProof, AuditError, TableProof, prove_absences
from tpsi.audit.dleq import Proof


@cache
def proofs(suite: str) -> tuple[World, bytes, bytes]:
    """A world, and honest proofs of both kinds."""
    world = World(NAMES, suite)
    names = listed(["absent 1", "absent 2"])
    absence = prove_absences(world.manifest, world.built.table.cells, world.built.secrets, names, rng=Drbg("p"))
    return world, Served.honest(world).prove(listed(NAMES)).encode(), absence.encode()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([RISTRETTO, P256]),
    st.sampled_from([0, 1]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3),
    st.integers(-3, 40),
)
def test_changed_octets(suite: str, kind: int, edits: list[tuple[int, int]], longer: int) -> None:
    world, *both = proofs(suite)
    data = bytearray(both[kind])
    for place, value in edits:
        data[place % len(data)] = value
    octets = bytes(data[:longer] if longer < 0 else data + bytes(longer))
    decoder = (TableProof, AbsenceProof)[kind]
    try:
        decoded = decoder.decode(octets, world.manifest)
    except (DecodeError, AuditError):
        return
    assert decoded.encode() == octets


@given(st.binary(max_size=300))
def test_any_octets(data: bytes) -> None:
    world = proofs(RISTRETTO)[0]
    for decoder in (TableProof, AbsenceProof):
        with pytest.raises((DecodeError, AuditError)):
            decoder.decode(data, world.manifest)


def test_proofs_of_wrong_sizes_are_not_made() -> None:
    proof = Proof(bytes(32), bytes(32))
    with pytest.raises(CallerError):
        TableProof(bytes(31), Secret(bytes(32)), proof)
    with pytest.raises(CallerError):
        TableProof(bytes(32), Secret(bytes(33)), proof)
    for count in (0, MAX_NAMES + 1):
        with pytest.raises(CallerError):
            AbsenceProof(bytes(32), np.zeros((count, 32), np.uint8), proof)
