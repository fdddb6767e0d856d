"""The log: what a server must not be able to take back, in one append-only tree (specification, section 16)."""

from tpsi.log.checkpoint import MAX_NOTE, Checkpoint, SignedCheckpoint, sign_checkpoint
from tpsi.log.entries import (
    MAX_ENTRY,
    Entry,
    ManifestEntry,
    OpeningEntry,
    PolicyEntry,
    RevealEntry,
    decode_entry,
)
from tpsi.log.fork import Fork
from tpsi.log.frontier import Frontier
from tpsi.log.history import History
from tpsi.log.notice import Disclosure, Notice, draw_opening
from tpsi.log.tree import Tree, verify_consistency, verify_inclusion

__all__ = [
    "MAX_ENTRY",
    "MAX_NOTE",
    "Checkpoint",
    "Disclosure",
    "Entry",
    "Fork",
    "Frontier",
    "History",
    "ManifestEntry",
    "Notice",
    "OpeningEntry",
    "PolicyEntry",
    "RevealEntry",
    "SignedCheckpoint",
    "Tree",
    "decode_entry",
    "draw_opening",
    "sign_checkpoint",
    "verify_consistency",
    "verify_inclusion",
]
