"""Symmetric batches and shares: the same octets as one call after another, whatever computes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.backends import BACKENDS
from tpsi import field
from tpsi.bulk import hash_many, kdf_many, open_many, seal_many, shares_at
from tpsi.errors import CallerError
from tpsi.groups import Rows
from tpsi.groups.rows import join_rows, split_rows
from tpsi.labels import Label
from tpsi.symmetric import KEY_SIZE, TAG_SIZE, kdf, keyed_hash, open_sealed, seal

each_backend = pytest.mark.parametrize("backend", BACKENDS)


def _keys(count: int) -> Rows:
    return np.arange(count * KEY_SIZE, dtype=np.uint32).astype(np.uint8).reshape(count, KEY_SIZE)


def _rows(data: st.DataObject, count: int, most: int) -> Rows:
    width = data.draw(st.integers(0, most))
    return join_rows([data.draw(st.binary(min_size=width, max_size=width)) for _ in range(count)], width)


@each_backend
@given(secrets=st.lists(st.binary(max_size=80), min_size=1, max_size=5), salt=st.binary(max_size=40), data=st.data())
def test_keys_are_those_of_one_call_each(backend: str, secrets: list[bytes], salt: bytes, data: st.DataObject) -> None:
    infos = data.draw(st.lists(st.binary(max_size=40), min_size=len(secrets), max_size=len(secrets)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPSI_BACKEND", backend)
        for some, others in ((secrets, infos), (secrets[:1], infos), (secrets, infos[:1])):
            count = max(len(some), len(others))
            pairs = zip(some * (count // len(some)), others * (count // len(others)), strict=True)
            expected = [kdf(Label.SLOT_KEY, secret, salt, info, KEY_SIZE) for secret, info in pairs]
            assert split_rows(kdf_many(Label.SLOT_KEY, some, salt, others)) == expected


@each_backend
@given(data=st.data(), count=st.integers(0, 5))
def test_keys_from_rows_are_those_from_strings(backend: str, data: st.DataObject, count: int) -> None:
    secrets, infos = _rows(data, count, 80), _rows(data, count, 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPSI_BACKEND", backend)
        expected = kdf_many(Label.AD_ITEM, split_rows(secrets), b"salt", split_rows(infos))
        assert np.array_equal(kdf_many(Label.AD_ITEM, secrets, b"salt", infos), expected)


@each_backend
@given(size=st.integers(1, 64), key=st.binary(max_size=64), texts=st.lists(st.binary(max_size=300), max_size=9))
def test_hashes_are_those_of_one_call_each(backend: str, size: int, key: bytes, texts: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPSI_BACKEND", backend)
        for label in (Label.MEMORY, Label.POSITION_FUSE):
            expected = [keyed_hash(size, key, label, text) for text in texts]
            assert split_rows(hash_many(size, key, label, texts)) == expected


@each_backend
def test_many_hashes_are_those_of_one_call_each(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are computed side by side, or by one thread; rows of the lengths around a block of the hash."""
    monkeypatch.setenv("TPSI_BACKEND", backend)
    for width in (0, 1, 127, 128, 129, 256):
        texts = (np.arange(300 * width, dtype=np.uint32) * 7 >> 3).astype(np.uint8).reshape(300, width)
        expected = [keyed_hash(16, bytes(32), Label.MEMORY, text.tobytes()) for text in texts]
        assert split_rows(hash_many(16, bytes(32), Label.MEMORY, texts)) == expected


@each_backend
@given(data=st.data(), count=st.integers(0, 4), each=st.integers(1, 3))
def test_texts_are_sealed_and_opened_as_by_one_call_each(
    backend: str, data: st.DataObject, count: int, each: int
) -> None:
    texts, associated = _rows(data, count * each, 300), [data.draw(st.binary(max_size=100)) for _ in range(count)]
    keys = _keys(len(texts))
    spread = [one for one in associated for _ in range(each)]
    single = list(zip(split_rows(keys), split_rows(texts), spread, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPSI_BACKEND", backend)
        sealed = seal_many(keys, texts, associated)
        assert sealed.shape == (len(texts), texts.shape[1] + TAG_SIZE)
        assert split_rows(sealed) == [seal(*one) for one in single]
        assert open_many(keys, sealed, associated) == split_rows(texts)
        assert open_many(keys, split_rows(sealed), associated) == split_rows(texts)
        assert open_many(keys, sealed ^ np.uint8(1), associated) == [None] * len(texts)
        assert open_many(keys, sealed[:, : TAG_SIZE - 1], associated) == [None] * len(texts)
        assert open_many(keys ^ np.uint8(1), sealed, associated) == [None] * len(texts)
    assert [open_sealed(key, one, data) for (key, _, data), one in zip(single, split_rows(sealed), strict=True)] == [
        text for _, text, _ in single
    ]


@each_backend
def test_associated_data_may_be_rows(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    keys, texts, rows = _keys(4), np.zeros((4, 9), np.uint8), np.arange(6, dtype=np.uint8).reshape(2, 3)
    sealed = seal_many(keys, texts, split_rows(rows))
    assert np.array_equal(seal_many(keys, texts, rows), sealed)
    assert open_many(keys, sealed, rows) == split_rows(texts)


@each_backend
def test_batches_of_another_length_are_refused(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    texts = np.zeros((2, 1), np.uint8)
    for count, associated in ((1, [b"a"]), (3, [b"a"]), (2, []), (2, [b"a"] * 3)):
        with pytest.raises(ValueError, match=r"for each text|zip\(\)"):
            seal_many(_keys(count), texts, associated)
        with pytest.raises(ValueError, match=r"for each text|zip\(\)"):
            open_many(_keys(count), split_rows(texts), associated)
    with pytest.raises(CallerError, match="one-time keys"):
        open_many(_keys(2)[:, :31], [b"a", b"b"], [b"", b""])
    with pytest.raises(ValueError, match=r"secrets|infos|zip\(\)"):
        kdf_many(Label.SLOT_KEY, [b"a", b"b"], b"", [b"c", b"d", b"e"])
    for size, key in ((0, b""), (65, b""), (16, bytes(65))):
        with pytest.raises(ValueError, match=r"lengths|digest_size|key"):
            hash_many(size, key, Label.MEMORY, [b"a"])


def _polynomials(rows: int, degree: int) -> NDArray[np.uint64]:
    """Small and large coefficients, both ends of the field among them."""
    values = [pow(3, i, field.P) for i in range(rows * (degree + 1))]
    values[:3] = [0, field.P - 1, 1][: len(values)]
    return np.array(values, np.uint64).reshape(rows, degree + 1)


def _expected(coefficients: NDArray[np.uint64], drawn: bytes) -> bytes:
    """A share in large integers (specification, section 6.3)."""
    x = 1 + int.from_bytes(drawn, "big") % (field.P - 1)
    values = [sum(c * pow(x, d, field.P) for d, c in enumerate(row)) % field.P for row in coefficients.tolist()]
    return b"".join(value.to_bytes(8, "big") for value in [x, *values])


@each_backend
@pytest.mark.parametrize("degree", [0, 1, 30, 63, 64, 65, 200])
def test_shares_lie_on_their_polynomials(backend: str, degree: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    values = [0, 1, field.P - 2, field.P - 1, field.P, 2 * field.P - 2, 2**61, 2**122 - 1, 2**127, 2**128 - 1]
    values += [(2**128 - 1) // (field.P - 1) * (field.P - 1) + step for step in (-1, 0, 1)]
    drawn = [value.to_bytes(16, "big") for value in values]
    coefficients = _polynomials(5, degree)
    assert split_rows(shares_at(coefficients, join_rows(drawn, 16))) == [_expected(coefficients, one) for one in drawn]
    largest = np.full((3, degree + 1), field.P - 1, np.uint64)
    assert split_rows(shares_at(largest, join_rows(drawn, 16))) == [_expected(largest, one) for one in drawn]
    assert shares_at(coefficients, join_rows([], 16)).shape == (0, 8 * 6)


@each_backend
def test_hashes_of_another_length_make_no_shares(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    with pytest.raises(CallerError, match="hashes of coordinates"):
        shares_at(_polynomials(3, 4), np.zeros((2, 15), np.uint8))
