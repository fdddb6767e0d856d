"""Many vouchers at once, as rows of octets: no object for each voucher or slot (specification, section 7.1)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tpsi.groups import Rows
from tpsi.groups.rows import join_rows
from tpsi.manifest import MANIFEST_ID_SIZE, Manifest
from tpsi.voucher import (
    HEADER_SIZE,
    MAX_SIZE_CLASS,
    VOUCHER_ID_SIZE,
    Header,
    decode_header,
    padded_size,
    slot_size,
    voucher_size,
)

#: Where a header has its voucher id, its slots and its size class; `_SAME`: what all vouchers of a manifest share.
_ID: Final = slice(1 + MANIFEST_ID_SIZE, 1 + MANIFEST_ID_SIZE + VOUCHER_ID_SIZE)
_CLASS: Final = HEADER_SIZE - 1
_SAME: Final = [*range(_ID.start), _CLASS - 2, _CLASS - 1]
_PADDED: Final = np.array([padded_size(size_class) for size_class in range(MAX_SIZE_CLASS + 1)])


def pack_headers(manifest: Manifest, generation: int, voucher_ids: Rows, size_classes: Rows) -> Rows:
    """(n, 40): headers, from voucher ids (n, 16) and size classes (n,)."""
    headers = np.repeat(_model(manifest, generation), len(voucher_ids), axis=0)
    headers[:, _ID] = voucher_ids
    headers[:, _CLASS] = size_classes
    return headers


class PackedSlots(NamedTuple):
    """The k slots of n vouchers, slot j of voucher i in row i·k + j: `q` (n·k, element_size) and what it encrypts."""

    q: Rows
    ct: Rows


def unpack_slots(vouchers: Sequence[bytes], manifest: Manifest) -> PackedSlots:
    """The slots of encoded vouchers; DecodeError if `Voucher.decode` refuses one of them for this manifest.

    Elements are checked when they are matched, not here.
    """
    size, q_end = slot_size(manifest), manifest.group.element_size
    end = HEADER_SIZE + manifest.slots * size
    heads = join_rows([voucher[:end].ljust(end, b"\0") for voucher in vouchers], end)
    for place in np.flatnonzero(~_sound(heads, [len(voucher) for voucher in vouchers], manifest)).tolist():
        decode_header(vouchers[place], manifest)  # says what is wrong with it
    slots = heads[:, HEADER_SIZE:].reshape(-1, size)
    return PackedSlots(np.ascontiguousarray(slots[:, :q_end]), np.ascontiguousarray(slots[:, q_end:]))


def _sound(heads: Rows, lengths: Sequence[int], manifest: Manifest) -> NDArray[np.bool_]:
    """(n,): which are the first octets of a voucher of this manifest, whose length follows from them."""
    same = (heads[:, _SAME] == _model(manifest, 0)[:, _SAME]).all(axis=1)
    size_class = heads[:, _CLASS]
    expected = voucher_size(manifest, 0) + _PADDED[np.minimum(size_class, MAX_SIZE_CLASS)]
    return np.asarray(same & (size_class <= MAX_SIZE_CLASS) & (expected == lengths))


def _model(manifest: Manifest, generation: int) -> Rows:
    """(1, 40): a header without voucher id, in size class 0."""
    header = Header(manifest.manifest_id, bytes(VOUCHER_ID_SIZE), generation, manifest.slots, 0)
    return np.frombuffer(header.encode(), np.uint8).reshape(1, -1)
