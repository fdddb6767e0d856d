"""The list that an audit is about: its form, what the manifest says of it, its digest (specification, section 15.2)."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from tpsi.audit.errors import AuditError, Reason
from tpsi.audit.sums import pieces
from tpsi.errors import DecodeError
from tpsi.items import ItemHash
from tpsi.labels import Label
from tpsi.manifest import Manifest
from tpsi.table import Progress


def list_digest(items: Sequence[bytes]) -> bytes:
    """32 octets that bind the encoded items, their number and their order."""
    digest = hashlib.sha256(Label.AUDIT_LIST + len(items).to_bytes(8, "big"))
    for start, stop in pieces(len(items)):
        digest.update(b"".join(items[start:stop]))
    return digest.digest()


def check_list(manifest: Manifest, items: Sequence[bytes], progress: Progress) -> None:
    """AuditError unless the encoded items are canonical, with the number, types and canary of the manifest."""
    types = check_items(items, progress)
    if len(items) != manifest.items:
        raise AuditError(
            Reason.ITEM_COUNT,
            f"the list has {len(items)} hashes, the manifest says that the table holds {manifest.items}",
        )
    if items and types != set(manifest.types):
        raise AuditError(
            Reason.HASH_TYPES,
            f"the list has the hash types {', '.join(sorted(types))}, the manifest names {', '.join(manifest.types)}",
        )
    for canary in manifest.canary.hashes if manifest.canary else ():
        if not _holds(items, canary.encode()):
            raise AuditError(
                Reason.CANARY_MISSING, f"the manifest names the canary {canary}, which the list does not hold"
            )


def check_items(items: Sequence[bytes], progress: Progress) -> set[str]:
    """The types of encoded item hashes; AuditError unless they are well-formed, distinct and in ascending order."""
    types: set[str] = set()
    for start, stop in pieces(len(items)):
        batch = items[max(start - 1, 0) : stop]
        for item in batch:
            types.add(_type_of(item))
        for earlier, later in pairwise(batch):
            if earlier >= later:
                _refuse_order(earlier, later)
        progress("reading the list", stop, len(items))
    return types


def _type_of(item: bytes) -> str:
    try:
        return ItemHash.decode(item).type
    except DecodeError:
        raise AuditError(Reason.MALFORMED_ITEM, "an item is not the canonical encoding of an item hash") from None


def _refuse_order(earlier: bytes, later: bytes) -> None:
    if earlier == later:
        raise AuditError(Reason.DUPLICATE_ITEM, f"{ItemHash.decode(later)} stands twice in the list")
    raise AuditError(Reason.UNSORTED_LIST, f"{ItemHash.decode(later)} stands behind an item that comes after it")


def _holds(items: Sequence[bytes], wanted: bytes) -> bool:
    place = bisect_left(items, wanted)
    return place < len(items) and items[place] == wanted
