"""The blinded table: geometry, peeling, blinding, building and lookup (specification, section 4)."""

from tpsi.table.blinded import BlindedTable, Candidates, LookupTable
from tpsi.table.blinding import TableSecrets, blind_items, fill_elements, hash_items, item_tag
from tpsi.table.building import (
    BuiltTable,
    Layout,
    Progress,
    build_table,
    canonical_items,
    find_layout,
    lay_out,
)
from tpsi.table.geometry import CuckooGeometry, FuseGeometry, Geometry, geometry
from tpsi.table.packed import PackedItems

__all__ = [
    "BlindedTable",
    "BuiltTable",
    "Candidates",
    "CuckooGeometry",
    "FuseGeometry",
    "Geometry",
    "Layout",
    "LookupTable",
    "PackedItems",
    "Progress",
    "TableSecrets",
    "blind_items",
    "build_table",
    "canonical_items",
    "fill_elements",
    "find_layout",
    "geometry",
    "hash_items",
    "item_tag",
    "lay_out",
]
