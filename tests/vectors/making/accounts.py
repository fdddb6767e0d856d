"""The accounts of a transcript: what each of them seals, chosen so that every kind of voucher and result occurs."""

from collections.abc import Callable, Sequence
from itertools import count

from tests.vectors.making.devices import Account
from tests.vectors.making.stage import Stage, digest, md5
from tpsi import Item, ItemHash, draw_generation
from tpsi.table import blind_items


def select(candidates: Sequence[ItemHash], number: int, wanted: Callable[[ItemHash], bool]) -> list[ItemHash]:
    """The first of the candidates that are as wanted."""
    found = [item for item in candidates if wanted(item)][:number]
    if len(found) < number:
        raise LookupError("the seed gives too few items of a kind: take another")
    return found


def unlisted(prefix: str, wanted: Callable[[ItemHash], bool]) -> ItemHash:
    """An md5 that is not on the list."""
    return next(item for item in (md5(f"{prefix} {i}") for i in count()) if wanted(item))


def photograph(name: str, probe: ItemHash, associated: bytes = b"") -> Item:
    """An item with one probe."""
    return Item(name.encode(), (probe,), associated)


def seal_all(stage: Stage) -> list[Account]:
    """Three accounts: above the threshold, below it and undecided, and one that counts items."""
    return [anna(stage), ben(stage), cara(stage)]


def anna(stage: Stage) -> Account:
    """One pool over two epochs, above the threshold; the second epoch's table is hostile."""
    account, (first, _, hostile) = Account(stage, "anna"), stage.epochs
    g = draw_generation(stage.rng)

    def chosen(item: ItemHash) -> bool:
        return account.chosen(first, g, photograph("-", item))

    def matches(item: ItemHash) -> bool:
        value = blind_items(stage.group, [item.encode()], hostile.secrets)
        found = hostile.table.lookup([item.encode()])
        return bool((found.elements[0] == value).all(axis=1).any())

    plain = select(stage.items, 3, lambda item: not chosen(item))
    replaced = select(stage.items, 1, chosen)
    batch = [
        photograph("no associated data", plain[0]),
        photograph("a little", plain[1], b"a few words"),
        photograph("a photograph", plain[2], bytes(range(70))),
        photograph("listed and chosen", replaced[0], b"never sent"),
        photograph("unlisted and chosen", unlisted("anna", chosen), bytes(61)),
        photograph("unlisted", unlisted("anna", lambda item: not chosen(item)), b"x" * 60),
        photograph("a copy", plain[1], b"the same picture again"),
    ]
    account.seal(first, batch, g)
    later = select(stage.items, 3, lambda item: item not in [*plain, *replaced] and matches(item))
    again = [photograph("sealed in the first epoch", replaced[0], b"not again")]
    honest = [photograph(f"later {i}", item, b"later") for i, item in enumerate(later)]
    spoiled = [photograph(f"spoiled {i}", item, b"spoiled") for i, item in enumerate(hostile.spoiled)]
    account.seal(hostile, again + honest + spoiled, g)
    return account


def ben(stage: Stage) -> Account:
    """Two devices: below the threshold with one, undecided for synthetic vouchers with the other."""
    account, first = Account(stage, "ben ~ 2nd"), stage.epochs[0]
    for synthetic in (1, 2):
        generation = draw_generation(stage.rng)

        def chosen(item: ItemHash, generation: int = generation) -> bool:
            return account.chosen(first, generation, photograph("-", item))

        listed = select(stage.items, 2, lambda item: not chosen(item))
        others = [unlisted(f"ben {i}", chosen) for i in range(synthetic)]
        batch = [photograph(f"item {i}", item, b"ad") for i, item in enumerate(listed + others)]
        account.seal(first, batch, generation)
    return account


def cara(stage: Stage) -> Account:
    """Items of up to three probes, counted by their identifiers, all in one size class."""
    account, epoch = Account(stage, "cara"), stage.epochs[1]
    g = draw_generation(stage.rng)

    def named(name: str, probes: Sequence[ItemHash], wanted: bool) -> Item:
        items = (Item(f"{name}-{i}".encode(), tuple(probes), name.encode()) for i in count())
        return next(item for item in items if account.chosen(epoch, g, item) is wanted)

    other = [digest("sha512", f"cara {i}", 64) for i in range(8)]
    listed = stage.items[:5]
    items = [
        named("first", [listed[0]], False),
        named("second", [other[0], listed[1]], False),
        named("third", [other[1], other[2], listed[2]], False),
        named("fourth", [listed[3], other[3], other[4]], False),
        named("fifth, chosen", [listed[4], other[5]], True),
        named("a neighbour", [other[6], other[0]], False),
    ]
    items.append(Item(items[0].identifier, (other[7],), b"the first, edited"))
    account.seal(epoch, items, g, size_class=3)
    return account
