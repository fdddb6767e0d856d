"""What every implementation of `Group` must do, whichever its suite and its library."""

import secrets
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi.errors import CallerError, DecodeError, ElementError
from tpsi.groups import Group, Rows

FEW = settings(max_examples=25, deadline=None)
INTEGER = st.integers(0, 2**256 - 1)
DST = b"tpsi-v1-item-test"


def multiples(group: Group, *values: int) -> Rows:
    return group.multiply_base(group.encode_scalars(values))


def identity(group: Group, count: int = 1) -> Rows:
    return np.zeros((count, group.element_size), dtype=np.uint8)


def not_an_element(group: Group) -> Rows:
    return np.full((1, group.element_size), 0xFF, dtype=np.uint8)


def same(left: Rows, right: Rows) -> bool:
    return left.dtype == right.dtype == np.uint8 and np.array_equal(left, right)


# Group laws


@FEW
@given(a=INTEGER, b=INTEGER, c=INTEGER)
def test_addition_is_commutative_and_associative(group: Group, a: int, b: int, c: int) -> None:
    A, B, C = (multiples(group, value) for value in (a, b, c))
    assert same(group.add(A, B), group.add(B, A))
    assert same(group.add(group.add(A, B), C), group.add(A, group.add(B, C)))


@FEW
@given(a=INTEGER, b=INTEGER)
def test_subtraction_undoes_addition(group: Group, a: int, b: int) -> None:
    A, B = multiples(group, a), multiples(group, b)
    assert same(group.subtract(group.add(A, B), B), A)
    assert same(group.add(group.subtract(A, B), B), A)


@FEW
@given(a=INTEGER, b=INTEGER, k=INTEGER)
def test_multiplication_distributes_over_addition(group: Group, a: int, b: int, k: int) -> None:
    A, B, K = multiples(group, a), multiples(group, b), group.encode_scalars([k])
    assert same(group.multiply(K, group.add(A, B)), group.add(group.multiply(K, A), group.multiply(K, B)))


@FEW
@given(a=INTEGER, b=INTEGER)
def test_scalars_multiply_and_add_like_integers_modulo_the_order(group: Group, a: int, b: int) -> None:
    assert same(group.multiply(group.encode_scalars([a]), multiples(group, b)), multiples(group, a * b))
    assert same(group.add(multiples(group, a), multiples(group, b)), multiples(group, a + b))
    assert same(group.subtract(multiples(group, a), multiples(group, b)), multiples(group, a - b))


def test_small_multiples_are_repeated_additions(group: Group) -> None:
    generator = multiples(group, 1)
    total = identity(group)
    for count in range(20):
        assert same(total, multiples(group, count))
        total = group.add(total, generator)


def test_doubling_is_addition_of_equals(group: Group) -> None:
    element = multiples(group, 7)
    assert same(group.add(element, element), multiples(group, 14))


# The identity, as a value inside a computation


def test_an_element_minus_itself_is_a_row_of_zeros(group: Group) -> None:
    elements = multiples(group, 1, 2, group.order - 1)
    assert same(group.subtract(elements, elements), identity(group, 3))
    assert same(group.add(elements[:1], elements[2:]), identity(group))


def test_zeros_are_neutral(group: Group) -> None:
    elements, zeros = multiples(group, 3, 5), identity(group)
    assert same(group.add(zeros, elements), elements)
    assert same(group.add(elements, zeros), elements)
    assert same(group.subtract(elements, zeros), elements)
    assert same(group.subtract(zeros, elements), multiples(group, -3, -5))
    assert same(group.add(zeros, zeros), zeros)
    assert same(group.subtract(zeros, zeros), zeros)


def test_zero_scalar_and_identity_give_the_identity(group: Group) -> None:
    elements = np.concatenate([multiples(group, 3), identity(group), identity(group), multiples(group, 3)])
    products = group.multiply(group.encode_scalars([0, 5, 0, 5]), elements)
    assert same(products, np.concatenate([identity(group, 3), multiples(group, 15)]))
    assert same(multiples(group, 0, 1)[:1], identity(group))


# Encodings


@FEW
@given(value=st.integers(1, 2**256 - 1))
def test_results_are_valid_elements(group: Group, value: int) -> None:
    assert group.valid(multiples(group, value)).all() == (value % group.order != 0)


@FEW
@given(message=st.binary(max_size=100), dst=st.binary(min_size=1, max_size=300))
def test_hashes_are_valid_and_depend_on_message_and_tag(group: Group, message: bytes, dst: bytes) -> None:
    hashes = group.hash_to_group([message, message + b"\0", message], dst)
    assert hashes.shape == (3, group.element_size)
    assert group.valid(hashes).all()
    assert same(hashes[0], hashes[2])
    assert not same(hashes[0], hashes[1])
    assert not same(hashes[0], group.hash_to_group([message], dst + b"\0")[0])


@FEW
@given(data=st.data())
def test_valid_never_raises_and_what_it_accepts_is_canonical(group: Group, data: st.DataObject) -> None:
    octets = data.draw(st.binary(min_size=group.element_size, max_size=group.element_size))
    row = np.frombuffer(octets, dtype=np.uint8)[None]
    verdict = group.valid(row)
    assert verdict.shape == (1,)
    assert verdict.dtype == np.bool_
    if verdict[0]:
        assert same(group.add(row, identity(group)), row)
    elif any(octets):
        with pytest.raises(ElementError):
            group.add(row, identity(group))


@FEW
@given(value=INTEGER, position=st.integers(0, 8 * 33 - 1))
def test_a_flipped_bit_is_refused_or_another_element(group: Group, value: int, position: int) -> None:
    element = multiples(group, value)
    flipped = element.copy()
    flipped[0, position // 8 % group.element_size] ^= 1 << position % 8
    assert not group.valid(flipped)[0] or not same(group.subtract(flipped, element), identity(group))


def test_identity_is_refused_from_outside(group: Group) -> None:
    assert group.valid(np.concatenate([identity(group), multiples(group, 1)])).tolist() == [False, True]


# Batches


def test_one_row_stands_for_many(group: Group) -> None:
    elements = multiples(group, 1, 2, 3)
    one, scalar = multiples(group, 10), group.encode_scalars([10])
    assert same(group.add(elements, one), multiples(group, 11, 12, 13))
    assert same(group.add(one, elements), multiples(group, 11, 12, 13))
    assert same(group.subtract(elements, one), multiples(group, -9, -8, -7))
    assert same(group.subtract(one, elements), multiples(group, 9, 8, 7))
    assert same(group.multiply(scalar, elements), multiples(group, 10, 20, 30))
    assert same(group.multiply(group.encode_scalars([1, 2, 3]), one), multiples(group, 10, 20, 30))


def test_empty_batches_give_no_rows(group: Group) -> None:
    none, no_scalars = identity(group, 0), group.encode_scalars([])
    one, scalar = multiples(group, 1), group.encode_scalars([1])
    assert no_scalars.shape == (0, group.scalar_size)
    for result in (
        group.hash_to_group([], DST),
        group.multiply_base(no_scalars),
        group.multiply(no_scalars, none),
        group.multiply(scalar, none),
        group.multiply(no_scalars, one),
        group.add(none, none),
        group.add(none, one),
        group.add(one, none),
        group.subtract(none, none),
        group.subtract(one, none),
    ):
        assert result.shape == (0, group.element_size)
        assert result.dtype == np.uint8
    assert group.valid(none).shape == (0,)
    assert group.decode_scalars(no_scalars) == []
    assert group.random_scalars(0, secrets.token_bytes).shape == (0, group.scalar_size)
    wide = np.zeros((0, group.wide_size), dtype=np.uint8)
    assert group.scalars_from_wide(wide).shape == (0, group.scalar_size)


def test_views_that_are_not_contiguous_and_not_writable_are_read_correctly(group: Group) -> None:
    elements, scalars = multiples(group, 1, 2, 3, 4), group.encode_scalars([1, 2, 3, 4])
    wider = np.zeros((4, group.element_size + 3), dtype=np.uint8)
    wider[:, 2:-1] = elements
    wider.flags.writeable = False
    view = wider[::-2, 2:-1]
    assert group.valid(view).all()
    assert same(group.add(view, view), multiples(group, 8, 4))
    assert same(group.multiply(scalars[::2], view), multiples(group, 4, 6))


def test_arguments_are_left_alone_and_results_are_new(group: Group) -> None:
    elements, scalars = multiples(group, 1, 2), group.encode_scalars([3, 4])
    before = elements.copy(), scalars.copy()
    for result in (group.add(elements, elements), group.multiply(scalars, elements), multiples(group, 1)):
        result[:] = 0  # writable, and nobody else's
    assert same(elements, before[0])
    assert same(scalars, before[1])
    assert same(multiples(group, 1), elements[:1])


def test_batches_that_do_not_pair_are_refused(group: Group) -> None:
    two, three = multiples(group, 1, 2), multiples(group, 1, 2, 3)
    calls: list[Callable[[], Rows]] = [
        lambda: group.add(two, three),
        lambda: group.subtract(three, two),
        lambda: group.add(two, three[:0]),
        lambda: group.multiply(group.encode_scalars([1, 2]), three),
        lambda: group.weighted_sum(group.encode_scalars([1, 2]), three),
    ]
    for call in calls:
        with pytest.raises(CallerError):
            call()


# What is refused


def takers(group: Group) -> list[Callable[[Rows], object]]:
    """Every method that computes with elements, as a function of one argument of them."""
    good, scalar = multiples(group, 1), group.encode_scalars([1])
    return [
        lambda rows: group.multiply(scalar, rows),
        lambda rows: group.weighted_sum(scalar, rows),
        lambda rows: group.add(rows, good),
        lambda rows: group.add(good, rows),
        lambda rows: group.subtract(rows, good),
        lambda rows: group.subtract(good, rows),
        lambda rows: group.add(rows, rows),
        lambda rows: group.subtract(rows, rows),
    ]


def test_invalid_rows_are_refused_by_every_method(group: Group) -> None:
    bad = np.concatenate([multiples(group, 1, 2), not_an_element(group), multiples(group, 3)])
    for take in takers(group):
        for rows in (bad, not_an_element(group)):
            with pytest.raises(ElementError):
                take(rows)
    assert group.valid(bad).tolist() == [True, True, False, True]


def test_zero_scalar_does_not_hide_an_invalid_element(group: Group) -> None:
    zero, bad = group.encode_scalars([0]), not_an_element(group)
    with pytest.raises(ElementError):
        group.multiply(zero, bad)
    with pytest.raises(ElementError):
        group.multiply(group.encode_scalars([0, 0]), bad)
    with pytest.raises(ElementError):
        group.multiply(zero, np.concatenate([identity(group), bad]))


def outside(group: Group) -> Rows:
    """Two elements, the identity, rubbish, and an element with a bit flipped that makes it another or none."""
    good = multiples(group, 5, 7)
    flipped = multiples(group, 9)
    flipped[0, group.element_size // 2] ^= 4
    return np.vstack([good, identity(group), not_an_element(group), flipped])


def test_multiplication_of_untrusted_rows_marks_the_invalid_ones(group: Group) -> None:
    rows = outside(group)
    products, accepted = group.multiply_untrusted(group.encode_scalars([3]), rows)
    assert accepted.tolist() == group.valid(rows).tolist()
    assert same(products[accepted], group.multiply(group.encode_scalars([3]), rows[accepted]))
    assert not products[~accepted].any()


def test_multiplication_of_untrusted_rows_by_zero_marks_the_same_ones(group: Group) -> None:
    rows = outside(group)
    products, accepted = group.multiply_untrusted(group.encode_scalars([0]), rows)
    assert accepted.tolist() == group.valid(rows).tolist()
    assert not products.any()


def test_addition_of_untrusted_rows_marks_the_invalid_ones(group: Group) -> None:
    rows = outside(group)
    left, right = np.repeat(rows, len(rows), axis=0), np.tile(rows, (len(rows), 1))
    sums, accepted = group.add_untrusted(left, right)
    sound = [group.valid(side) | ~side.any(axis=1) for side in (left, right)]
    assert accepted.tolist() == (sound[0] & sound[1]).tolist()
    assert same(sums[accepted], group.add(left[accepted], right[accepted]))
    assert not sums[~accepted].any()


def test_untrusted_batches_without_rows_give_none(group: Group) -> None:
    none = identity(group, 0)
    assert [part.shape for part in group.add_untrusted(none, none)] == [(0, group.element_size), (0,)]
    products, accepted = group.multiply_untrusted(group.encode_scalars([3]), none)
    assert (products.shape, accepted.shape) == ((0, group.element_size), (0,))


def test_arrays_of_another_shape_or_type_are_refused(group: Group) -> None:
    size = group.element_size
    wrong: list[object] = [
        np.zeros(size, dtype=np.uint8),
        np.zeros((1, size + 1), dtype=np.uint8),
        np.zeros((1, size - 1), dtype=np.uint8),
        np.zeros((1, 1, size), dtype=np.uint8),
        np.zeros((1, size), dtype=np.int8),
        np.zeros((1, size), dtype=np.bool_),
        np.zeros((1, size), dtype=np.int64),
        bytes(size),
        [bytes(size)],
        None,
    ]
    for rows in wrong:
        for take in [*takers(group), group.valid]:
            with pytest.raises(CallerError):
                take(rows)  # type: ignore[arg-type]


def test_scalars_of_another_shape_or_type_are_refused(group: Group) -> None:
    one = multiples(group, 1)
    for method in (
        group.multiply_base,
        group.decode_scalars,
        group.scalars_from_wide,
        lambda scalars: group.weighted_sum(scalars, one),
        lambda scalars: group.multiply(scalars, one),
    ):
        for shape in ((31,), (1, 31), (1, 33), (1, 63), (1, 65), (1, 1, 32)):
            with pytest.raises(CallerError):
                method(np.zeros(shape, dtype=np.uint8))
        with pytest.raises(CallerError):
            method(np.zeros((1, 32), dtype=np.int32))


# Scalars


def big_endian(group: Group, value: int) -> Rows:
    """A scalar row that `encode_scalars` would not make, in the suite's byte order."""
    octets = value.to_bytes(32, "big")
    if group.encode_scalars([1])[0, 0] == 1:
        octets = octets[::-1]
    return np.frombuffer(octets, dtype=np.uint8)[None]


@FEW
@given(values=st.lists(INTEGER, max_size=5))
def test_scalars_decode_to_what_was_encoded(group: Group, values: list[int]) -> None:
    encoded = group.encode_scalars(values)
    assert encoded.shape == (len(values), group.scalar_size)
    assert group.decode_scalars(encoded) == [value % group.order for value in values]


@FEW
@given(offset=st.integers(0, 2**64))
def test_scalars_not_below_the_order_are_refused(group: Group, offset: int) -> None:
    good = group.encode_scalars([1])
    for value in (group.order + offset % (2**256 - group.order), 2**256 - 1 - offset % 2**32):
        bad = big_endian(group, value)
        with pytest.raises(DecodeError):
            group.decode_scalars(np.concatenate([good, bad]))
        with pytest.raises(CallerError):
            group.multiply_base(bad)
        with pytest.raises(CallerError):
            group.multiply(np.concatenate([good, bad]), multiples(group, 1))


def test_largest_scalar_is_accepted(group: Group) -> None:
    last = big_endian(group, group.order - 1)
    assert group.decode_scalars(last) == [group.order - 1]
    assert same(group.add(group.multiply_base(last), multiples(group, 1)), identity(group))


@FEW
@given(data=st.data())
def test_wide_scalars_are_reduced_modulo_the_order(group: Group, data: st.DataObject) -> None:
    octets = data.draw(st.binary(min_size=group.wide_size, max_size=group.wide_size))
    wide = np.frombuffer(octets, dtype=np.uint8)[None]
    order = "little" if group.encode_scalars([1])[0, 0] == 1 else "big"
    expected = int.from_bytes(octets, order) % group.order  # type: ignore[arg-type]
    assert group.decode_scalars(group.scalars_from_wide(wide)) == [expected]


def test_random_scalars_are_the_reduced_draws(group: Group) -> None:
    octets = secrets.token_bytes(3 * group.wide_size)
    wide = np.frombuffer(octets, dtype=np.uint8).reshape(3, -1)
    assert same(group.random_scalars(3, lambda size: octets[:size]), group.scalars_from_wide(wide))


def test_a_zero_scalar_is_drawn_again(group: Group) -> None:
    draws: list[int] = []

    def zero_first(size: int) -> bytes:
        draws.append(size)
        return bytes(group.wide_size) + b"\1" * (size - group.wide_size) if len(draws) < 3 else b"\2" * size

    scalars = group.random_scalars(3, zero_first)
    assert draws == [3 * group.wide_size, group.wide_size, group.wide_size]
    assert scalars.any(axis=1).all()
    assert same(scalars[1], scalars[2])


def test_a_multiple_of_the_order_is_a_zero_draw(group: Group) -> None:
    order = "little" if group.encode_scalars([1])[0, 0] == 1 else "big"
    octets = (5 * group.order).to_bytes(group.wide_size, order)  # type: ignore[arg-type]
    with pytest.raises(CallerError):
        group.random_scalars(1, lambda size: octets)


def test_broken_sources_of_randomness_are_refused(group: Group) -> None:
    for rng in (bytes, lambda size: b"\1" * (size - 1), lambda size: b"\1" * (size + group.wide_size)):
        with pytest.raises(CallerError):
            group.random_scalars(2, rng)
    with pytest.raises(CallerError):
        group.random_scalars(-1, secrets.token_bytes)


def test_two_draws_differ(group: Group) -> None:
    scalars = group.random_scalars(2, secrets.token_bytes)
    assert not same(scalars[0], scalars[1])


# Sums


@FEW
@given(pairs=st.lists(st.tuples(INTEGER, INTEGER), max_size=9))
def test_weighted_sums_are_those_of_integers(group: Group, pairs: list[tuple[int, int]]) -> None:
    scalars = group.encode_scalars([weight for weight, _ in pairs])
    elements = multiples(group, *(value for _, value in pairs))
    expected = sum(weight * value for weight, value in pairs)
    assert same(group.weighted_sum(scalars, elements), multiples(group, expected))


def test_weighted_sums_of_many_rows(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tpsi.groups.composed.CHUNK", 16)
    values = list(range(1, 71))
    elements = multiples(group, *values)
    scalars = group.encode_scalars([3**value for value in values])
    expected = multiples(group, sum(value * 3**value for value in values))
    assert same(group.weighted_sum(scalars, elements), expected)
    assert same(group.weighted_sum(scalars[::-1], elements[::-1]), expected)


def test_one_row_of_a_weighted_sum_stands_for_many(group: Group) -> None:
    elements, scalars = multiples(group, 1, 2, 3), group.encode_scalars([1, 2, 3])
    assert same(group.weighted_sum(scalars[1:2], elements), multiples(group, 12))
    assert same(group.weighted_sum(scalars, elements[2:]), multiples(group, 18))


def test_weighted_sums_may_be_the_identity(group: Group) -> None:
    elements, none = multiples(group, 1, 2), identity(group, 0)
    assert same(group.weighted_sum(group.encode_scalars([-2, 1]), elements), identity(group))
    assert same(group.weighted_sum(group.encode_scalars([]), none), identity(group))
    assert same(group.weighted_sum(group.encode_scalars([5]), none), identity(group))
    assert same(group.weighted_sum(group.encode_scalars([5]), identity(group)), identity(group))


# Two parties


def test_diffie_hellman_agrees(group: Group) -> None:
    keys = group.random_scalars(2, secrets.token_bytes)
    shares = group.multiply_base(keys)
    assert same(group.multiply(keys, shares[::-1])[0], group.multiply(keys, shares[::-1])[1])


def test_random_self_reduction_of_a_looked_up_value(group: Group) -> None:
    """S = alpha * Q for P = alpha * H(y), the equation that a slot of a voucher stands on (section 7)."""
    alpha, beta, gamma = (group.random_scalars(1, secrets.token_bytes) for _ in range(3))
    hashed = group.hash_to_group([b"item"], DST)
    looked_up, public = group.multiply(alpha, hashed), group.multiply_base(alpha)
    Q = group.add(group.multiply(beta, hashed), group.multiply_base(gamma))
    S = group.add(group.multiply(beta, looked_up), group.multiply(gamma, public))
    assert same(S, group.multiply(alpha, Q))
