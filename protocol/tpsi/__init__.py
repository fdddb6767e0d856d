"""tpsi: private set intersection with threshold secret sharing, as arithmetic and bytes.

Nothing here touches a network, a file or a clock. The steps, in the order of the protocol:
`build_table` → `sign_manifest` → `accept` → `derive` → `seal` → `match` → `examine`.
The specification is `protocol/SPEC.md`; docstrings cite its sections.
"""

from tpsi.account import AccountKeys, Pool, derive, draw_generation
from tpsi.device import Device, Item
from tpsi.errors import (
    BuildError,
    CallerError,
    DecodeError,
    ElementError,
    TpsiError,
    VerificationError,
)
from tpsi.groups import SUITES, Group, Rng, group
from tpsi.items import ItemHash
from tpsi.manifest import Canary, Manifest, Source
from tpsi.matching import Opened, Submission, match
from tpsi.parameters import CountBy, Probes, Sharing, Synthetic, SyntheticMode
from tpsi.photograph import Photograph, open_original, seal_original
from tpsi.planning import Kind
from tpsi.reveal import Examination, Verdict, examine, open_associated
from tpsi.sealing import SealedBatch, SealedVoucher, seal
from tpsi.secret import Secret
from tpsi.signing import Role, Signature, SignedManifest, sign_manifest
from tpsi.table import BlindedTable, BuiltTable, LookupTable, TableSecrets, build_table
from tpsi.trust import Pins, Seen, accept, picture_threshold
from tpsi.voucher import Header, Slot, Voucher, slot_count, voucher_size

__all__ = [
    "SUITES",
    "AccountKeys",
    "BlindedTable",
    "BuildError",
    "BuiltTable",
    "CallerError",
    "Canary",
    "CountBy",
    "DecodeError",
    "Device",
    "ElementError",
    "Examination",
    "Group",
    "Header",
    "Item",
    "ItemHash",
    "Kind",
    "LookupTable",
    "Manifest",
    "Opened",
    "Photograph",
    "Pins",
    "Pool",
    "Probes",
    "Rng",
    "Role",
    "SealedBatch",
    "SealedVoucher",
    "Secret",
    "Seen",
    "Sharing",
    "Signature",
    "SignedManifest",
    "Slot",
    "Source",
    "Submission",
    "Synthetic",
    "SyntheticMode",
    "TableSecrets",
    "TpsiError",
    "Verdict",
    "VerificationError",
    "Voucher",
    "accept",
    "build_table",
    "derive",
    "draw_generation",
    "examine",
    "group",
    "match",
    "open_associated",
    "open_original",
    "picture_threshold",
    "seal",
    "seal_original",
    "sign_manifest",
    "slot_count",
    "voucher_size",
]
