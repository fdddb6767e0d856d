"""P-256: its hash against RFC 9380, its arithmetic against another library, and strict decoding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi.errors import ElementError
from tpsi.groups import P256_SHA256, Rows, group, sswu

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9380_p256.json").read_text("utf-8"))
P256 = group(P256_SHA256)
FEW = settings(max_examples=50, deadline=None)


def row(octets: bytes) -> Rows:
    return np.frombuffer(octets, dtype=np.uint8)[None]


def compressed(x: int, y: int) -> bytes:
    return bytes((2 + y % 2,)) + x.to_bytes(32, "big")


def coordinates(point: dict[str, str]) -> tuple[int, int]:
    return int(point["x"], 16), int(point["y"], 16)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["msg"][:16] or "empty")
def test_rfc9380_hash_to_curve_and_its_intermediates(vector: dict[str, Any]) -> None:
    message, dst = vector["msg"].encode(), VECTORS["dst"].encode()
    u = sswu.hash_to_field(message, dst)
    assert u == tuple(int(text, 16) for text in vector["u"])
    assert sswu.map_to_curve(u[0]) == coordinates(vector["Q0"])
    assert sswu.map_to_curve(u[1]) == coordinates(vector["Q1"])
    assert sswu.hash_to_points(message, dst) == (coordinates(vector["Q0"]), coordinates(vector["Q1"]))
    assert P256.hash_to_group([message], dst)[0].tobytes() == compressed(*coordinates(vector["P"]))


@FEW
@given(u=st.integers(0, sswu.P - 1))
def test_map_gives_a_point_of_the_curve_with_the_sign_of_its_argument(u: int) -> None:
    x, y = sswu.map_to_curve(u)
    assert 0 <= x < sswu.P
    assert 0 < y < sswu.P
    assert y * y % sswu.P == sswu.curve_equation(x)
    assert y % 2 == u % 2


def test_map_of_its_exceptional_argument() -> None:
    """u = 0 makes the denominator of section 6.6.2 vanish; then x is B / (Z * A)."""
    x, y = sswu.map_to_curve(0)
    assert x == sswu.B * pow(sswu.Z * sswu.A, -1, sswu.P) % sswu.P
    assert y * y % sswu.P == sswu.curve_equation(x)
    assert y % 2 == 0


@FEW
@given(secret=st.integers(1, P256.order - 1))
def test_multiples_of_the_generator_are_those_of_another_library(secret: int) -> None:
    public = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
    expected = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert P256.multiply_base(P256.encode_scalars([secret]))[0].tobytes() == expected


@FEW
@given(sign=st.sampled_from([2, 3]), x=st.integers(0, 2**256 - 1))
def test_decoding_accepts_what_another_library_accepts(sign: int, x: int) -> None:
    encoding = bytes((sign,)) + x.to_bytes(32, "big")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoding)
        expected = True
    except ValueError:
        expected = False
    assert P256.valid(row(encoding))[0] == expected


def some_point() -> bytes:
    return bytes(P256.multiply_base(P256.encode_scalars([1])))


def small_x() -> int:
    """The smallest x >= 1 of a point, so that x + P still fits in 32 octets."""
    return next(x for x in range(1, 100) if sswu.square_root(sswu.curve_equation(x)) is not None)


REFUSED = {
    "prefix of the uncompressed form": b"\x04" + some_point()[1:],
    "prefix of the hybrid form, even": b"\x06" + some_point()[1:],
    "prefix of the hybrid form, odd": b"\x07" + some_point()[1:],
    "prefix of infinity before an x": b"\x00" + some_point()[1:],
    "prefix 1": b"\x01" + some_point()[1:],
    "sign in another bit": bytes((some_point()[0] | 0x80,)) + some_point()[1:],
    "x not reduced": b"\x02" + (small_x() + sswu.P).to_bytes(32, "big"),
    "x is the field's prime": b"\x02" + sswu.P.to_bytes(32, "big"),
    "x is not on the curve": b"\x02"
    + next(x for x in range(1, 100) if sswu.square_root(sswu.curve_equation(x)) is None).to_bytes(32, "big"),
    "x of 256 ones": b"\x03" + b"\xff" * 32,
}


@pytest.mark.parametrize("encoding", REFUSED.values(), ids=REFUSED)
def test_encodings_that_are_refused(encoding: bytes) -> None:
    good, one = row(some_point()), P256.encode_scalars([1])
    assert not P256.valid(row(encoding))[0]
    calls: list[Callable[[], Rows]] = [
        lambda: P256.multiply(one, row(encoding)),
        lambda: P256.add(row(encoding), good),
        lambda: P256.subtract(good, row(encoding)),
    ]
    for call in calls:
        with pytest.raises(ElementError):
            call()


def test_x_zero_is_a_point_and_not_the_identity() -> None:
    """The library behind writes infinity as (0, 0); the curve does have points with x = 0."""
    even, odd = row(b"\x02" + bytes(32)), row(b"\x03" + bytes(32))
    assert P256.valid(np.concatenate([even, odd])).all()
    assert not P256.add(even, odd).any()
    assert P256.add(even, even).any()
    assert np.array_equal(P256.multiply(P256.encode_scalars([1, -1]), even), np.concatenate([even, odd]))
