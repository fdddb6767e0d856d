"""Hash lists: readers for the formats that providers use, import reports, and merging by sources."""

from tpsi_server.lists.merge import MergedList, merge
from tpsi_server.lists.reader import ListReader, open_list
from tpsi_server.lists.records import Addition, Deletion, Ignored, ListFormat, Reason, Record, Refusal, Unit
from tpsi_server.lists.report import ImportReport
from tpsi_server.lists.source import ListFileError
from tpsi_server.lists.vic import DEFAULT_CATEGORIES, Categories

__all__ = [
    "DEFAULT_CATEGORIES",
    "Addition",
    "Categories",
    "Deletion",
    "Ignored",
    "ImportReport",
    "ListFileError",
    "ListFormat",
    "ListReader",
    "MergedList",
    "Reason",
    "Record",
    "Refusal",
    "Unit",
    "merge",
    "open_list",
]
