"""The table proof: an honest one verifies, whatever suite and encoding; what it establishes; how it is written."""

from collections.abc import Sequence

import pytest

from tests.support.world import P256, RISTRETTO, World, md5
from tpsi import CallerError, DecodeError
from tpsi.audit import TableProof, list_digest, prove_table, verify_table
from tpsi.table import canonical_items

CASES = [(suite, encoding) for suite in (RISTRETTO, P256) for encoding in ("fuse", "cuckoo")]


def listed(names: Sequence[object]) -> Sequence[bytes]:
    """The encoded items of some names, as a list."""
    return canonical_items(md5(name) for name in names)


@pytest.fixture(scope="module", name="world", params=CASES, ids=lambda case: f"{case[0][5:9]}-{case[1]}")
def _world(request: pytest.FixtureRequest) -> World:
    suite, encoding = request.param
    return World(range(30), suite, encoding)


def test_an_honest_table_verifies(world: World) -> None:
    items = listed(range(30))
    proof = TableProof.decode(prove_table(world.manifest, world.built.secrets, items).encode(), world.manifest)
    audited = verify_table(world.manifest, world.built.table.cells, items, proof)
    assert (audited.items, audited.cells) == (30, world.manifest.geometry.cells)
    assert audited.fill == audited.cells - 30
    assert audited.manifest_digest == world.manifest.digest
    assert audited.list_digest == list_digest(items)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("encoding", ["fuse", "cuckoo"])
def test_small_tables(encoding: str, count: int) -> None:
    world, items = World(range(count), encoding=encoding), listed(range(count))
    proof = prove_table(world.manifest, world.built.secrets, items)
    assert verify_table(world.manifest, world.built.table.cells, items, proof).items == count


def test_the_fill_key_is_not_shown(world: World) -> None:
    proof = prove_table(world.manifest, world.built.secrets, listed(range(30)))
    assert world.built.secrets.fill_key.reveal() in proof.encode()
    assert "Secret of 32 octets" in repr(proof)


def test_secrets_of_another_table(world: World) -> None:
    other = World(range(30), world.suite, world.encoding, seed="other")
    with pytest.raises(CallerError, match="another table"):
        prove_table(world.manifest, other.built.secrets, listed(range(30)))


@pytest.mark.parametrize("cut", [0, 1, 2, 33, 34, 66, 129])
def test_a_truncated_proof(world: World, cut: int) -> None:
    data = prove_table(world.manifest, world.built.secrets, listed(range(30))).encode()
    assert len(data) == 130
    with pytest.raises(DecodeError):
        TableProof.decode(data[:cut], world.manifest)


def test_octets_behind_a_proof(world: World) -> None:
    data = prove_table(world.manifest, world.built.secrets, listed(range(30))).encode()
    with pytest.raises(DecodeError):
        TableProof.decode(data + b"\0", world.manifest)


@pytest.mark.parametrize("place", [0, 1])
def test_another_version_or_kind(world: World, place: int) -> None:
    data = bytearray(prove_table(world.manifest, world.built.secrets, listed(range(30))).encode())
    data[place] += 1
    with pytest.raises(DecodeError, match="version 1"):
        TableProof.decode(bytes(data), world.manifest)


def test_progress_is_told() -> None:
    world, items, told = World(range(30)), listed(range(30)), list[tuple[str, int, int]]()
    proof = prove_table(world.manifest, world.built.secrets, items, progress=lambda *step: told.append(step))
    verify_table(world.manifest, world.built.table.cells, items, proof, progress=lambda *step: told.append(step))
    assert {stage for stage, _, _ in told} == {
        "reading the list",
        "weighing hashes",
        "reading the table",
        "weighing cells",
    }
    assert all(0 < done <= total for _, done, total in told)
