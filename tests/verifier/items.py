"""Section 3: item hashes, and the hash list of a transcript with its elements."""

import re
from dataclasses import dataclass

from .elements import Group
from .notation import u8
from .transcript import Node, WrongValueError

LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, order=True)
class Item:
    """An item hash by its encoding y; `label` is its type."""

    y: bytes
    label: str

    @property
    def text(self) -> str:
        """The text form, which a manifest's canary uses."""
        return f"{self.label}:{self.y[2 + len(self.label) :].hex()}"


def read_item(node: Node) -> Item:
    """An item hash `{"label", "digest", "encoded"}`, its encoding checked."""
    label, digest = node["label"].text(), node["digest"].octets()
    if not LABEL.fullmatch(label):
        raise WrongValueError(node["label"].path, "is no type label")
    if not 1 <= len(digest) <= 64:
        raise WrongValueError(node["digest"].path, "must have 1 to 64 octets")
    y = u8(len(label)) + label.encode("ascii") + u8(len(digest)) + digest
    node["encoded"].expect(y)
    return Item(y, label)


def check_list(node: Node, group: Group) -> list[Item]:
    """The items of the list, distinct, with H(x) of every one."""
    items = []
    for entry in node:
        item = read_item(entry)
        if item in items:
            raise WrongValueError(entry.path, "is in the list twice")
        entry["element"].expect(group.item(item.y))
        items.append(item)
    return items
