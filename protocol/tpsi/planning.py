"""Which vouchers a batch of items gives, and what is to be remembered of it (specification, sections 7.5 and 7.6)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from tpsi.account import is_chosen, memory_tags
from tpsi.device import Device, Item
from tpsi.errors import CallerError
from tpsi.parameters import SyntheticMode
from tpsi.voucher import check_fits, smallest_class


class Kind(Enum):
    """What a voucher is; the device knows, the server does not (7.5)."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Plan:
    """One voucher to be made: whose, of which kind, in which size class."""

    item: int
    kind: Kind
    size_class: int


def plan_vouchers(
    device: Device, items: Sequence[Item], known: Callable[[bytes], bool], size_class: int | None
) -> tuple[list[Plan], tuple[tuple[bytes, ...], ...]]:
    """Decide the kinds of the vouchers of every item (7.5), and the tags to remember (7.6)."""
    types = set(device.manifest.types)
    plans: list[Plan] = []
    tags: list[tuple[bytes, ...]] = []
    fresh: set[bytes] = set()
    for index, item in enumerate(items):
        if len(item.probes) > device.manifest.probes.per_item:
            raise CallerError(f"the list allows {device.manifest.probes.per_item} probes, this item has more")
        if not types.issuperset(probe.type for probe in item.probes):
            raise CallerError(f"the list has the hash types {', '.join(sorted(types))}; an item has a probe of another")
        if size_class is None:
            chosen_class = smallest_class(len(item.associated))
        else:
            chosen_class = size_class
            check_fits(item.associated, size_class)  # before anything is sealed
        mine = memory_tags(device.keys, item.identifier, item.probes)
        repeated = any(tag in fresh or known(tag) for tag in mine)
        fresh.update(mine)
        tags.append(mine)
        plans += [Plan(index, kind, chosen_class) for kind in _kinds(device, item, repeated)]
    return plans, tuple(tags)


def _kinds(device: Device, item: Item, repeated: bool) -> list[Kind]:
    if repeated:
        return [Kind.NULL]
    synthetic = device.manifest.synthetic
    if not is_chosen(device.keys, device.subject(item, item.probes[0]), synthetic.per_million):
        return [Kind.REAL]
    return [Kind.SYNTHETIC] if synthetic.mode is SyntheticMode.REPLACE else [Kind.REAL, Kind.SYNTHETIC]
