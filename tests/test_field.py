"""The field's batches agree with Python's integers, at the edges above all."""

import hashlib
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi import field
from tpsi.errors import CallerError
from tpsi.field import Elements, P

EDGES = [0, 1, 2, 3, P - 1, P - 2, P // 2, P // 2 + 1]
EDGES += [2**n + d for n in (29, 30, 31, 32, 60) for d in (-1, 0, 1)] + [P - 2**n for n in (29, 30, 31, 32)]

element = st.one_of(st.sampled_from(EDGES), st.integers(0, P - 1))
elements = st.lists(element, min_size=1, max_size=20)


def batch(values: list[int]) -> Elements:
    return np.array(values, np.uint64)


def uniform(*shape: int) -> Elements:
    return np.random.default_rng(1).integers(0, P, shape, np.uint64)


def test_arithmetic_is_exact_for_every_pair_of_edges() -> None:
    a, b = batch(EDGES)[:, None], batch(EDGES)[None, :]
    pairs = [[(x, y) for y in EDGES] for x in EDGES]
    assert field.add(a, b).tolist() == [[(x + y) % P for x, y in row] for row in pairs]
    assert field.subtract(a, b).tolist() == [[(x - y) % P for x, y in row] for row in pairs]
    assert field.multiply(a, b).tolist() == [[x * y % P for x, y in row] for row in pairs]
    target = np.zeros((len(EDGES), len(EDGES)), np.uint64)
    field.add_outer(target, batch(EDGES), batch(EDGES))
    assert target.tolist() == [[x * y % P for x, y in row] for row in pairs]


@given(a=elements, b=elements, c=element)
def test_arithmetic_agrees_with_integers(a: list[int], b: list[int], c: int) -> None:
    left, right = batch(a)[:, None], batch(b)[None, :]
    assert field.multiply(left, right).tolist() == [[x * y % P for y in b] for x in a]
    assert field.subtract(left, right).tolist() == [[(x - y) % P for y in b] for x in a]
    target = np.full((len(a), len(b)), c, np.uint64)
    field.add_outer(target, batch(a), batch(b))
    assert target.tolist() == [[(c + x * y) % P for y in b] for x in a]


def test_the_largest_terms_of_an_outer_product_do_not_wrap() -> None:
    top = [P - 1, P - 2**31, 2**61 - 2**30 - 1, 2**61 - 2]  # all limbs of c, r and the rotated r full or nearly
    for value in top:
        target = np.full((len(top), len(top)), value, np.uint64)
        field.add_outer(target, batch(top), batch(top))
        assert target.tolist() == [[(value + x * y) % P for y in top] for x in top]


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 70_000), (3, 20_000), (40_000, 2)])
def test_an_outer_product_is_the_same_in_blocks(shape: tuple[int, int]) -> None:
    wide = uniform(shape[0], shape[1] + 1)
    column, row, before = uniform(shape[0]), uniform(shape[1]), wide.copy()
    field.add_outer(wide[:, 1:], column, row)  # in place, and in a view that is not contiguous
    expected = field.add(before[:, 1:], field.multiply(column[:, None], row[None, :]))
    assert np.array_equal(wide[:, 1:], expected)
    assert np.array_equal(wide[:, 0], before[:, 0])


@given(st.lists(element.filter(bool), max_size=20))
def test_inverses(values: list[int]) -> None:
    inverses = field.inverse(batch(values))
    assert field.multiply(inverses, batch(values)).tolist() == [1] * len(values)


def test_zero_has_no_inverse() -> None:
    with pytest.raises(CallerError, match="zero"):
        field.inverse(batch([1, 0]))


@given(st.lists(elements, min_size=1, max_size=4), elements)
def test_polynomials_are_evaluated_exactly(polynomials: list[list[int]], points: list[int]) -> None:
    terms = max(len(one) for one in polynomials)
    padded = [one + [0] * (terms - len(one)) for one in polynomials]
    expected = [[sum(c * x**k for k, c in enumerate(one)) % P for one in padded] for x in points]
    assert field.evaluate(np.array(padded, np.uint64), batch(points)).tolist() == expected


@pytest.mark.parametrize("degree", [0, 1, 510, 511, 512, 513, 1100])
def test_the_largest_terms_of_a_polynomial_do_not_wrap(degree: int) -> None:
    """All coefficients and the point at their largest, and at limbs of all ones, across the blocks of terms."""
    for value in (P - 1, P - 2, 2**60 + 2**42 - 1):
        coefficients = np.full((3, degree + 1), value, np.uint64)
        expected = sum(value * pow(value, power, P) for power in range(degree + 1)) % P
        assert field.evaluate(coefficients, np.array([value], np.uint64)).tolist() == [[expected] * 3]


def test_polynomials_are_evaluated_the_same_in_blocks() -> None:
    coefficients, points = uniform(3, 2), uniform(20_000)
    expected = field.add(field.multiply(points[:, None], coefficients[:, 1]), coefficients[:, 0])
    assert np.array_equal(field.evaluate(coefficients, points), expected)


@given(st.lists(element, max_size=20))
def test_encoding_is_eight_big_endian_octets_each(values: list[int]) -> None:
    data = field.encode(batch(values))
    assert data == b"".join(value.to_bytes(8, "big") for value in values)
    decoded = field.decode(data)
    assert decoded is not None
    assert decoded.tolist() == values


@pytest.mark.parametrize("value", [P, P + 1, 2**61, 2**63, 2**64 - 1])
def test_a_value_that_is_not_below_p_is_refused(value: int) -> None:
    assert field.decode((5).to_bytes(8, "big") + value.to_bytes(8, "big")) is None


@pytest.mark.parametrize("size", [1, 7, 9, 15])
def test_a_string_that_is_not_whole_elements_is_refused(size: int) -> None:
    assert field.decode(bytes(size)) is None


def test_words_clear_the_top_bits_and_skip_p() -> None:
    source = [7, 2**64 - 1, P, 2**61 + 5, P - 1, 0, 1]
    data = b"".join(value.to_bytes(8, "big") for value in source) + bytes(1000)
    assert list(islice(field.words(lambda size: data[:size], 1), 5)) == [7, 5, P - 1, 0, 1]


@settings(max_examples=20)
@given(about=st.integers(0, 40), count=st.integers(0, 200))
def test_words_do_not_depend_on_how_many_were_expected(about: int, count: int) -> None:
    def stream(size: int) -> bytes:
        return hashlib.shake_256(b"words").digest(size)

    reference = [int.from_bytes(stream(8 * 300)[i : i + 8], "big") & P for i in range(0, 8 * 300, 8)]
    assert list(islice(field.words(stream, about), count)) == reference[:count]
