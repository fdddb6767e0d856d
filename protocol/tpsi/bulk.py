"""The symmetric parts of vouchers on whole batches: keys in rows, texts in lists (specification, section 2.2).

The native core does a batch in one call, where it is installed; else it is one call after another.
"""

from collections.abc import Sequence

from tpsi.groups import Rows
from tpsi.groups.backends import is_native
from tpsi.groups.rows import join_rows, require_rows, split_rows
from tpsi.labels import Label
from tpsi.symmetric import KEY_SIZE, kdf, open_sealed, seal


def kdf_many(label: Label, secrets: Sequence[bytes], salt: bytes, infos: Sequence[bytes]) -> Rows:
    """(n, 32): keys, each from its secret and info. A single secret or info stands for as many as there are others."""
    if is_native():
        import tpsi_native

        return tpsi_native.derive_keys(label, secrets, salt, infos)
    if len(secrets) == 1:
        return join_rows([kdf(label, secrets[0], salt, info, KEY_SIZE) for info in infos], KEY_SIZE)
    if len(infos) == 1:
        return join_rows([kdf(label, secret, salt, infos[0], KEY_SIZE) for secret in secrets], KEY_SIZE)
    each = zip(secrets, infos, strict=True)
    return join_rows([kdf(label, secret, salt, info, KEY_SIZE) for secret, info in each], KEY_SIZE)


def seal_many(one_time_keys: Rows, plaintexts: Sequence[bytes], associated: Sequence[bytes]) -> list[bytes]:
    """`seal` under every row of keys (n, 32)."""
    keys = require_rows(one_time_keys, KEY_SIZE, "one-time keys")
    if is_native():
        import tpsi_native

        return tpsi_native.seal_texts(keys, plaintexts, associated)
    return [seal(*one) for one in zip(split_rows(keys), plaintexts, associated, strict=True)]


def open_many(one_time_keys: Rows, ciphertexts: Sequence[bytes], associated: Sequence[bytes]) -> list[bytes | None]:
    """`open_sealed` under every row of keys (n, 32)."""
    keys = require_rows(one_time_keys, KEY_SIZE, "one-time keys")
    if is_native():
        import tpsi_native

        return tpsi_native.open_texts(keys, ciphertexts, associated)
    return [open_sealed(*one) for one in zip(split_rows(keys), ciphertexts, associated, strict=True)]
