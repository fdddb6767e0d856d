"""ristretto255 against RFC 9496, and the traps of the library behind it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rbcl

from tpsi.errors import ElementError
from tpsi.groups import LIBRARY, RISTRETTO255_SHA512, Group, Rows, group, sodium

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9496_ristretto255.json").read_text("utf-8"))
RISTRETTO255 = group(RISTRETTO255_SHA512, LIBRARY)


@pytest.fixture
def ristretto255(backend: str) -> Group:
    """The group of each backend."""
    return group(RISTRETTO255_SHA512, backend)


def rows(*encodings: str) -> Rows:
    return np.array([list(bytes.fromhex(encoding)) for encoding in encodings], dtype=np.uint8)


def test_rfc9496_multiples_of_the_generator(ristretto255: Group) -> None:
    multiples = rows(*VECTORS["multiples"])
    scalars = ristretto255.encode_scalars(range(16))
    assert np.array_equal(ristretto255.multiply_base(scalars), multiples)
    assert np.array_equal(ristretto255.multiply(scalars, multiples[1:2]), multiples)
    assert np.array_equal(ristretto255.add(multiples[:-1], multiples[1:2]), multiples[1:])
    assert np.array_equal(ristretto255.subtract(multiples[1:], multiples[1:2]), multiples[:-1])
    assert ristretto255.valid(multiples).tolist() == [False] + [True] * 15


@pytest.mark.parametrize("invalid", VECTORS["invalid"], ids=lambda invalid: invalid["why"])
def test_rfc9496_invalid_encodings_are_refused(invalid: dict[str, list[str]], ristretto255: Group) -> None:
    encodings = rows(*invalid["encodings"])
    generator, one = rows(VECTORS["multiples"][1]), ristretto255.encode_scalars([1])
    assert not ristretto255.valid(encodings).any()
    for index in range(len(encodings)):
        row = encodings[index : index + 1]
        with pytest.raises(ElementError):
            ristretto255.multiply(one, row)
        with pytest.raises(ElementError):
            ristretto255.add(row, generator)
        with pytest.raises(ElementError):
            ristretto255.subtract(generator, row)


def test_rfc9496_elements_from_uniform_octets() -> None:
    for vector in VECTORS["from_uniform"]:
        uniform, element = rows(vector["uniform"]), np.zeros((1, 32), dtype=np.uint8)
        sodium.from_hash(element.ctypes.data, uniform.ctypes.data)
        assert np.array_equal(element, rows(vector["element"]))


def test_addition_of_an_invalid_encoding_is_not_taken_for_the_identity() -> None:
    """What the wrapper is for: rbcl's own function gives 32 zero octets, the identity, and says nothing."""
    invalid, generator = bytes.fromhex("ff" * 32), bytes.fromhex(VECTORS["multiples"][1])
    assert rbcl.crypto_core_ristretto255_add(invalid, generator) == bytes(32)
    with pytest.raises(ElementError):
        RISTRETTO255.add(rows(invalid.hex()), rows(generator.hex()))


def test_a_set_top_bit_is_not_ignored(ristretto255: Group) -> None:
    """rbcl's libsodium decodes both encodings to one element, so that an element would have two."""
    generator = bytes.fromhex(VECTORS["multiples"][1])
    second = generator[:-1] + bytes((generator[-1] | 0x80,))
    assert rbcl.crypto_core_ristretto255_add(second, bytes(32)) == generator
    good, bad, one = rows(generator.hex()), rows(second.hex()), ristretto255.encode_scalars([1])
    assert not ristretto255.valid(bad)[0]
    calls: list[Callable[[], Rows]] = [
        lambda: ristretto255.multiply(one, bad),
        lambda: ristretto255.add(good, bad),
        lambda: ristretto255.subtract(bad, good),
        lambda: ristretto255.add(rows("00" * 31 + "80"), good),
    ]
    for call in calls:
        with pytest.raises(ElementError):
            call()


def test_libsodium_prototypes_of_other_users_are_left_alone() -> None:
    assert rbcl._sodium.crypto_core_ristretto255_add.argtypes is None


def test_processes_leave_no_copy_of_the_library_behind(tmp_path: Path) -> None:
    program = (
        "import secrets; from tpsi.groups import group; g = group('TPSI-RISTRETTO255-SHA512');"
        "print(g.valid(g.multiply_base(g.random_scalars(1, secrets.token_bytes)))[0])"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert done.stdout.split() == [b"True"]
    assert os.name != "posix" or not list(tmp_path.iterdir())
