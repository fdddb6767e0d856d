"""Symmetric batches: the same octets as one call after another, whatever computes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backends import BACKENDS
from tpsi.bulk import kdf_many, open_many, seal_many
from tpsi.errors import CallerError
from tpsi.labels import Label
from tpsi.symmetric import KEY_SIZE, kdf, open_sealed, seal

each_backend = pytest.mark.parametrize("backend", BACKENDS)
TEXTS = st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=100)), max_size=8)


def _keys(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.arange(count * KEY_SIZE, dtype=np.uint32).astype(np.uint8).reshape(count, KEY_SIZE)


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
            assert [row.tobytes() for row in kdf_many(Label.SLOT_KEY, some, salt, others)] == expected


@each_backend
@given(texts=TEXTS)
def test_texts_are_sealed_and_opened_as_by_one_call_each(backend: str, texts: list[tuple[bytes, bytes]]) -> None:
    plain, data = [text for text, _ in texts], [associated for _, associated in texts]
    keys = _keys(len(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPSI_BACKEND", backend)
        sealed = seal_many(keys, plain, data)
        assert sealed == [seal(key.tobytes(), *text) for key, text in zip(keys, texts, strict=True)]
        assert open_many(keys, sealed, data) == plain
        changed = [bytes([one[0] ^ 1]) + one[1:] for one in sealed]
        assert open_many(keys, changed, data) == [None] * len(texts)
        assert open_many(keys, [one[:15] for one in sealed], data) == [None] * len(texts)
    assert [open_sealed(key.tobytes(), one, aad) for key, one, aad in zip(keys, sealed, data, strict=True)] == plain


@each_backend
def test_batches_of_another_length_are_refused(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    with pytest.raises(ValueError, match=r"for each text|zip\(\)"):
        seal_many(_keys(2), [b"a"], [b"b"])
    with pytest.raises(CallerError, match="one-time keys"):
        open_many(_keys(2)[:, :31], [b"a", b"b"], [b"", b""])
    with pytest.raises(ValueError, match=r"secrets|infos|zip\(\)"):
        kdf_many(Label.SLOT_KEY, [b"a", b"b"], b"", [b"c", b"d", b"e"])
