"""The symmetric parts of vouchers, and shares, on whole batches (specification, sections 2.2 and 6.3).

The native core does a batch in one call, where it is installed; else it is one call after another.
"""

from collections.abc import Sequence

import numpy as np

from tpsi import field
from tpsi.errors import CallerError
from tpsi.groups import Rows, Strings
from tpsi.groups.backends import is_native
from tpsi.groups.rows import contiguous, join_rows, require_rows, strings
from tpsi.labels import Label
from tpsi.symmetric import KEY_SIZE, TAG_SIZE, kdf, keyed_hash, open_sealed, seal

#: Octets of the hash that a share's coordinate is made from.
DRAWN_SIZE = 16


def kdf_many(label: Label, secrets: Strings, salt: bytes, infos: Strings) -> Rows:
    """(n, 32): keys, each from its secret and info. A single secret or info stands for as many as there are others."""
    if is_native():
        import tpsi_native

        return tpsi_native.derive_keys(label, contiguous(secrets), salt, contiguous(infos))
    count = len(infos) if len(secrets) == 1 else len(secrets)
    each = zip(_spread(secrets, count), _spread(infos, count), strict=True)
    return join_rows([kdf(label, secret, salt, info, KEY_SIZE) for secret, info in each], KEY_SIZE)


def hash_many(size: int, key: bytes, label: Label, data: Strings) -> Rows:
    """(n, size): `keyed_hash` of every string."""
    if is_native():
        import tpsi_native

        return tpsi_native.hash_texts(size, key, label, contiguous(data))
    return join_rows([keyed_hash(size, key, label, one) for one in strings(data)], size)


def seal_many(one_time_keys: Rows, plaintexts: Rows, associated: Strings) -> Rows:
    """(n, size + 16): `seal` of every row under every row of keys (n, 32).

    Of m associated data, m dividing n, each belongs to n/m consecutive texts.
    """
    keys = require_rows(one_time_keys, KEY_SIZE, "one-time keys")
    if is_native():
        import tpsi_native

        return tpsi_native.seal_texts(keys, np.ascontiguousarray(plaintexts), contiguous(associated))
    each = zip(strings(keys), strings(plaintexts), _repeated(associated, len(keys)), strict=True)
    return join_rows([seal(*one) for one in each], plaintexts.shape[1] + TAG_SIZE)


def open_many(one_time_keys: Rows, ciphertexts: Strings, associated: Strings) -> list[bytes | None]:
    """`open_sealed` under every row of keys (n, 32); associated data as in `seal_many`."""
    keys = require_rows(one_time_keys, KEY_SIZE, "one-time keys")
    if is_native():
        import tpsi_native

        return tpsi_native.open_texts(keys, contiguous(ciphertexts), contiguous(associated))
    each = zip(strings(keys), strings(ciphertexts), _repeated(associated, len(keys)), strict=True)
    return [open_sealed(*one) for one in each]


def shares_at(coefficients: field.Elements, drawn: Rows) -> Rows:
    """(n, 8·(u + 1)): encoded shares of polynomials (u, t + 1) at the coordinates that follow from hashes (n, 16)."""
    drawn = require_rows(drawn, DRAWN_SIZE, "the hashes of coordinates")
    if is_native():
        import tpsi_native

        return tpsi_native.shares(coefficients, drawn)
    points = np.array([1 + int.from_bytes(one, "big") % (field.P - 1) for one in strings(drawn)], np.uint64)
    table = np.column_stack([points, field.evaluate(coefficients, points)])
    return np.frombuffer(field.encode(table), np.uint8).reshape(len(table), field.ELEMENT_SIZE * table.shape[1])


def _spread(octets: Strings, count: int) -> Sequence[bytes]:
    return list(strings(octets)) * count if len(octets) == 1 else strings(octets)


def _repeated(associated: Strings, count: int) -> Sequence[bytes]:
    each, rest = divmod(count, max(1, len(associated)))
    if rest or (count and not len(associated)):
        raise CallerError(f"{len(associated)} associated data for each text of {count}: as many, or one for several")
    return [one for one in strings(associated) for _ in range(each)]
