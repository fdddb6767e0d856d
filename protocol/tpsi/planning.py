"""Which vouchers a batch of items gives, and what is to be remembered of it (specification, sections 7.5 and 7.6)."""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import islice
from typing import NamedTuple

from tpsi.account import AccountKeys, are_chosen, identifier_tags, probe_tags
from tpsi.device import Device, Item
from tpsi.errors import CallerError
from tpsi.parameters import CountBy, SyntheticMode
from tpsi.voucher import check_fits, smallest_class


class Kind(Enum):
    """What a voucher is; the device knows, the server does not (7.5)."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    NULL = "null"


class Plan(NamedTuple):
    """One voucher to be made: whose, of which kind, in which size class."""

    item: int
    kind: Kind
    size_class: int


def plan_vouchers(
    device: Device, items: Sequence[Item], known: Callable[[bytes], bool], size_class: int | None
) -> tuple[list[Plan], tuple[tuple[bytes, ...], ...]]:
    """Decide the kinds of the vouchers of every item (7.5), and the tags to remember (7.6)."""
    _check_probes(device, items)
    classes = _size_classes(items, size_class)  # before anything is sealed
    tags = memory_tags(device.keys, items)
    synthetic = device.manifest.synthetic
    chosen = are_chosen(device.keys, device.decision_subjects(items), synthetic.per_million)
    kinds = [_kinds(synthetic.mode, *one) for one in zip(chosen, _repeated(tags, known), strict=True)]
    return [Plan(index, kind, classes[index]) for index, mine in enumerate(kinds) for kind in mine], tags


def memory_tags(keys: AccountKeys, items: Sequence[Item]) -> tuple[tuple[bytes, ...], ...]:
    """What a device remembers of each item: a tag for each probe, and, if items are counted, one for the identifier."""
    tags = iter(probe_tags(keys, [probe.encode() for item in items for probe in item.probes]))
    of_probes = [tuple(islice(tags, len(item.probes))) for item in items]
    if keys.pool.sharing.count_by is CountBy.HASH:
        return tuple(of_probes)
    of_items = identifier_tags(keys, [item.identifier for item in items])
    return tuple((*mine, one) for mine, one in zip(of_probes, of_items, strict=True))


def _check_probes(device: Device, items: Sequence[Item]) -> None:
    if max([len(item.probes) for item in items], default=0) > device.manifest.probes.per_item:
        raise CallerError(f"the list allows {device.manifest.probes.per_item} probes, an item has more")
    types = set(device.manifest.types)
    if not types.issuperset([probe.type for item in items for probe in item.probes]):
        raise CallerError(f"the list has the hash types {', '.join(sorted(types))}; an item has a probe of another")


def _size_classes(items: Sequence[Item], size_class: int | None) -> list[int]:
    if size_class is None:
        return [smallest_class(len(item.associated)) for item in items]
    check_fits(max([item.associated for item in items], key=len, default=b""), size_class)
    return [size_class] * len(items)


def _repeated(tags: Sequence[tuple[bytes, ...]], known: Callable[[bytes], bool]) -> Iterator[bool]:
    """Of which items the device, or this batch, has one of the tags already."""
    fresh: set[bytes] = set()
    for mine in tags:
        yield not fresh.isdisjoint(mine) or any(map(known, mine))
        fresh.update(mine)


def _kinds(mode: SyntheticMode, chosen: bool, repeated: bool) -> tuple[Kind, ...]:
    if repeated:
        return (Kind.NULL,)
    if not chosen:
        return (Kind.REAL,)
    return (Kind.SYNTHETIC,) if mode is SyntheticMode.REPLACE else (Kind.REAL, Kind.SYNTHETIC)
