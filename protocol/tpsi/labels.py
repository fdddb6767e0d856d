"""Every domain-separation label of the protocol, once (specification, section 2.4)."""

from enum import Enum
from typing import Final

#: Prefixes of the hash-to-group tags; the suite's name follows.
ITEM_DST: Final = b"tpsi-v1-item-"
FILL_DST: Final = b"tpsi-v1-fill-"
#: First line of the note under a checkpoint of the log; the list's id follows. No other signed message begins so.
LOG_ORIGIN: Final = "tpsi-v1-log/"


class Label(bytes, Enum):
    """A label is used for one purpose; those of at most 16 octets are BLAKE2b personalisations."""

    POSITION_FUSE = b"tpsi-v1-pos-fuse"
    POSITION_CUCKOO = b"tpsi-v1-pos-cuck"
    MANIFEST = b"tpsi-v1-manifest"
    MANIFEST_SIGNATURE = b"tpsi-v1-manifest-signature"
    ACCOUNT = b"tpsi-v1-account"
    MEMORY_KEY = b"tpsi-v1-memory-key"
    POLYNOMIAL = b"tpsi-v1-poly"
    COORDINATE_OF_HASH = b"tpsi-v1-x-hash"
    COORDINATE_OF_ITEM = b"tpsi-v1-x-item"
    SYNTHETIC_DECISION = b"tpsi-v1-decide"
    SYNTHETIC_SHARE = b"tpsi-v1-fake"
    MEMORY = b"tpsi-v1-memory"
    MEMORY_OF_ITEM = b"tpsi-v1-memory-i"
    AD_KEY = b"tpsi-v1-ad-key"
    AD_ITEM = b"tpsi-v1-ad-item"
    AD = b"tpsi-v1-ad"
    SLOT_KEY = b"tpsi-v1-slot-key"
    SLOT = b"tpsi-v1-slot"
    PAYLOAD = b"tpsi-v1-payload"
    ORIGINAL = b"tpsi-v1-original"
    AUDIT_LIST = b"tpsi-v1-audit-list"
    AUDIT_NAMES = b"tpsi-v1-audit-names"
    AUDIT_TABLE = b"tpsi-v1-audit-table"
    AUDIT_ABSENCE = b"tpsi-v1-audit-absence"
    AUDIT_WEIGHTS = b"tpsi-v1-audit-weights"
    AUDIT_CHALLENGE = b"tpsi-v1-audit-challenge"
    AUDIT_NONCE = b"tpsi-v1-audit-nonce"
    NOTICE = b"tpsi-v1-notice"
    NOTICE_VOUCHERS = b"tpsi-v1-notice-vouchers"
    HASH_LIST = b"tpsi-v1-hash-list"
    HASH_LIST_SIGNATURE = b"tpsi-v1-hash-list-signature"
