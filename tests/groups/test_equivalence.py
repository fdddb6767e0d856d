"""The backends against each other: the same octets and the same verdicts, on random and on hostile encodings."""

import secrets
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.backends import BACKENDS
from tests.verifier import edwards
from tpsi.errors import TpsiError
from tpsi.groups import LIBRARY, RISTRETTO255_SHA512, Group, Probed, Rows, group

LIBRARY_GROUP = group(RISTRETTO255_SHA512, LIBRARY)
ORDER = LIBRARY_GROUP.order
P = 2**255 - 19
MANY = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module", name="other", params=BACKENDS[1:])
def _other(request: pytest.FixtureRequest) -> Group:
    return group(RISTRETTO255_SHA512, request.param)


def little(value: int) -> bytes:
    return value.to_bytes(32, "little")


def element(value: int) -> bytes:
    return LIBRARY_GROUP.multiply_base(LIBRARY_GROUP.encode_scalars([value])).tobytes()


def flipped(encoding: bytes, bit: int) -> bytes:
    return (int.from_bytes(encoding, "little") ^ 1 << bit).to_bytes(32, "little")


#: Edwards points of order 8, as Ed25519 writes them (those of order 1, 2 and 4 are 1, P − 1 and 0).
SMALL_ORDER = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
#: Encodings of every kind that a decoder meets (RFC 9496, section 4.3.1).
ENCODINGS = st.one_of(
    st.integers(1, ORDER - 1).map(element),
    st.just(bytes(32)),  # the identity
    st.binary(min_size=32, max_size=32),  # mostly top bit, negative, or no square
    st.integers(0, 2**255 - 1).map(lambda value: little(value - value % 2)),  # non-negative: half of them are no square
    st.integers(0, 18).map(lambda value: little(P + value)),  # not reduced
    st.integers(1, ORDER - 1).map(lambda value: little(P - int.from_bytes(element(value), "little"))),  # negative
    st.tuples(st.integers(1, ORDER - 1).map(element), st.integers(0, 255)).map(lambda pair: flipped(*pair)),
    st.sampled_from([1, 2, P - 1, P - 2, 2**255 - 1, 2**255, 2**256 - 1, edwards.SQRT_M1]).map(little),
    st.sampled_from(SMALL_ORDER).map(bytes.fromhex),
)
SCALARS = st.one_of(
    st.integers(0, ORDER - 1),
    st.sampled_from([0, 1, 2, 8, 15, 16, ORDER - 1, ORDER - 2, ORDER // 2, 2**252, 2**252 - 1]),
    st.integers(0, 63).map(lambda digit: 8 * 16**digit % ORDER),  # where digits of a window carry
    st.integers(0, 31).map(lambda digit: 128 * 256**digit % ORDER),
)


def rows(octets: list[bytes]) -> Rows:
    return np.frombuffer(b"".join(octets), np.uint8).reshape(-1, 32)


def outcome(call: Callable[[], object]) -> object:
    """The octets of a result, or the kind of error."""
    try:
        result = call()
    except TpsiError as error:
        return type(error)
    parts = result if isinstance(result, tuple) else (result,)
    return [part.tobytes() for part in parts if isinstance(part, np.ndarray)]


def agree(other: Group, call: Callable[[Group], object]) -> None:
    assert outcome(lambda: call(other)) == outcome(lambda: call(LIBRARY_GROUP))


@MANY
@given(encodings=st.lists(ENCODINGS, min_size=1, max_size=9))
def test_they_accept_the_same_encodings(other: Group, encodings: list[bytes]) -> None:
    agree(other, lambda g: g.valid(rows(encodings)))


@MANY
@given(pairs=st.lists(st.tuples(SCALARS, ENCODINGS), min_size=1, max_size=9))
def test_they_multiply_alike(other: Group, pairs: list[tuple[int, bytes]]) -> None:
    scalars = LIBRARY_GROUP.encode_scalars([scalar for scalar, _ in pairs])
    elements = rows([encoding for _, encoding in pairs])
    agree(other, lambda g: g.multiply(scalars, elements))
    agree(other, lambda g: g.multiply_untrusted(scalars, elements))
    agree(other, lambda g: g.multiply_base(scalars))
    agree(other, lambda g: g.weighted_sum(scalars, elements))


@MANY
@given(pairs=st.lists(st.tuples(ENCODINGS, ENCODINGS), min_size=1, max_size=9), same=st.booleans())
def test_they_add_and_subtract_alike(other: Group, pairs: list[tuple[bytes, bytes]], same: bool) -> None:
    left, right = (rows([pair[side] for pair in pairs]) for side in (0, 0 if same else 1))
    agree(other, lambda g: g.add(left, right))
    agree(other, lambda g: g.subtract(left, right))
    agree(other, lambda g: g.add_untrusted(left, right))


@MANY
@given(
    messages=st.lists(st.binary(max_size=400), min_size=1, max_size=9),
    dst=st.binary(max_size=300),
    scalar=SCALARS,
)
def test_they_hash_and_blind_alike(other: Group, messages: list[bytes], dst: bytes, scalar: int) -> None:
    agree(other, lambda g: g.hash_to_group(messages, dst))
    agree(other, lambda g: g.blind(LIBRARY_GROUP.encode_scalars([scalar]), messages, dst))


@MANY
@given(data=st.data(), count=st.integers(1, 2), items=st.integers(1, 7))
def test_they_seal_alike(other: Group, data: st.DataObject, count: int, items: int) -> None:
    arity = 3 if count == 1 else 2
    cells = rows([data.draw(ENCODINGS) for _ in range(items * arity)]).reshape(items, arity, 32)
    scalars = LIBRARY_GROUP.encode_scalars([data.draw(SCALARS) for _ in range(2 * items * count)])
    betas, gammas = scalars.reshape(2, items, count, 32)
    key = rows([data.draw(st.integers(1, ORDER - 1).map(element))])
    probed = Probed([b"%d" % number for number in range(items)], b"tag", cells)
    ours, theirs = (g.seal(probed, betas, gammas, key) for g in (other, LIBRARY_GROUP))
    assert np.array_equal(ours.good, theirs.good)
    assert np.array_equal(ours.q, theirs.q)
    assert np.array_equal(ours.s[ours.good], theirs.s[ours.good])
    assert np.array_equal(other.candidates(cells, count)[1], theirs.good)


@MANY
@given(wide=st.binary(min_size=128, max_size=128))
def test_they_reduce_alike(other: Group, wide: bytes) -> None:
    agree(other, lambda g: g.scalars_from_wide(np.frombuffer(wide, np.uint8).reshape(2, 64)))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 7, 8, 9, 127, 128, 129, 300])
def test_batches_of_every_size_are_computed_whole(other: Group, count: int) -> None:
    """Around the number of lanes, of items in a chunk, and of chunks."""
    scalars = LIBRARY_GROUP.random_scalars(count, secrets.token_bytes)
    elements = LIBRARY_GROUP.hash_to_group([b"%d" % number for number in range(count)], b"x")
    elements[count // 2] = 0xFF
    agree(other, lambda g: g.multiply_untrusted(scalars, elements))
    agree(other, lambda g: g.valid(elements))
    agree(other, lambda g: g.add_untrusted(elements, elements[::-1].copy()))
    agree(other, lambda g: g.hash_to_group([b"%d" % number for number in range(count)], b"y"))
