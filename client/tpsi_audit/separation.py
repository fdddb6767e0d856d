"""Separation: an auditor's signature under a list with probes says that no picture can match two of its hashes."""

from tpsi import Manifest
from tpsi.pictures import PERCEPTUAL, neighbours, reach
from tpsi.table import PackedItems
from tpsi_audit.errors import RefusedError

#: Types of a file's octets: a device has one probe of them, whatever the list asks for.
_OF_FILES = frozenset(("md5", "sha1", "sha256", "sha512"))


def check_separation(manifest: Manifest, items: PackedItems) -> list[str]:
    """Check that a list for several probes an item is separated (specification, sections 10.4 and 14.4); a sentence.

    Nothing for one probe. RefusedError if two hashes are too near to each other, or if for a type it is not known how
    near a picture's probes are. A device takes the signature for this (section 5, check 5).
    """
    count = manifest.probes.per_item
    if count == 1:
        return []
    within = reach(count)
    for label, _, digests in items.blocks():
        if label not in PERCEPTUAL | _OF_FILES:
            raise RefusedError(f"whether the list is separated for {count} probes can't be told of {label} hashes")
        if label in PERCEPTUAL and len(pairs := neighbours(digests, within)):
            one, other = (digests[place].tobytes().hex() for place in pairs[0].tolist())
            raise RefusedError(f"the list is not separated for {count} probes: {label}:{one} and {label}:{other}")
    return [f"it is separated for {count} probes: no picture can match two of its hashes of one type"]
