"""What an audit can find wrong, each with a stable name (specification, section 15.6)."""

from enum import Enum

from tpsi.errors import VerificationError


class Reason(Enum):
    """Why a table, or a statement about it, is not what it claims to be."""

    OTHER_MANIFEST = "OTHER_MANIFEST"
    """The proof is about another manifest: another epoch, another list, or an altered one."""
    INVALID_KEY = "INVALID_KEY"
    """L is not a valid element."""
    MALFORMED_ITEM = "MALFORMED_ITEM"
    """An item of the list, or a name, is not the encoding of an item hash."""
    DUPLICATE_ITEM = "DUPLICATE_ITEM"
    """An item stands twice: one of them would be room for a hidden entry."""
    UNSORTED_LIST = "UNSORTED_LIST"
    """Items do not stand in ascending order."""
    ITEM_COUNT = "ITEM_COUNT"
    """There are more or fewer items than the manifest, or the proof, speaks of."""
    HASH_TYPES = "HASH_TYPES"
    """The list's hash types are not the manifest's."""
    CANARY_MISSING = "CANARY_MISSING"
    """The list does not hold the canary that the manifest names."""
    TABLE_SIZE = "TABLE_SIZE"
    """The table has not the number of cells, or of octets, that the manifest gives."""
    TABLE_DIGEST = "TABLE_DIGEST"
    """The table is not the one whose digest the manifest gives."""
    SEED = "SEED"
    """The table's seed does not place every item of the list."""
    FILL_CELL = "FILL_CELL"
    """A cell that holds no item is not the fill that the opened key gives."""
    INVALID_CELL = "INVALID_CELL"
    """A cell is not a valid element."""
    INVALID_VALUE = "INVALID_VALUE"
    """A blinded name in a proof is not a valid element."""
    WRONG_PROOF = "WRONG_PROOF"
    """The equations do not hold: some value is not α times its item's hash, under the α of L."""
    LISTED = "LISTED"
    """A name that is said to be absent is in the table."""


class AuditError(VerificationError):
    """A check of the audit failed; `reason` says which, the message says it for people."""

    code = "AUDIT_FAILED"

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
