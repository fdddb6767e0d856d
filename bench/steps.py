"""The steps of the protocol as work, for every suite and table encoding, with whatever computes in their groups."""

import secrets
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.measure import Cost, Step, Subject, Work, cpu
from bench.outside import PRODUCTS
from bench.settings import Setting
from bench.spread import Spread, ratios
from bench.stage import SHARING, Stage, device_items
from tpsi import Item, build_table, group, seal
from tpsi.groups import Probed
from tpsi.packing import unpack_slots
from tpsi.table import blind_items, hash_items, item_tag

#: The yardstick of a suite: other costs are given in scalar multiplications too.
YARDSTICK = "scalar multiplication"
_LEAST = 16  # multiplications of a yardstick, so that what a call costs by itself does not count


def multiplications(cost: Cost) -> Spread | None:
    """A cost in scalar multiplications of its suite; None if it belongs to no suite."""
    yardstick = cost.beside.get(YARDSTICK)
    return None if yardstick is None else Spread.of(ratios(cost.seconds, yardstick))


def steps(stages: Sequence[Stage], setting: Setting) -> Iterator[Step]:
    """All steps of the suites and tables that the stages are of."""
    for suite in dict.fromkeys(stage.suite for stage in stages):
        mine = [stage for stage in stages if stage.suite == suite]
        yield from group_steps(mine[0], setting)
        yield blind_step(mine[0], setting)
        for stage in mine:
            yield from table_steps(stage, setting)


def group_steps(stage: Stage, setting: Setting) -> Iterator[Step]:
    """What the group itself costs, the yardstick first: nothing of the protocol is faster than its share of these."""
    chosen, count = group(stage.suite), max(_LEAST, setting.batch[stage.suite])
    messages = [item.probes[0].encode() for item in device_items(count)]
    elements = hash_items(chosen, messages)
    scalars = chosen.random_scalars(count, secrets.token_bytes)
    works: dict[str, Callable[[], object]] = {
        YARDSTICK: lambda: chosen.multiply(scalars, elements),
        "multiplication of the generator": lambda: chosen.multiply_base(scalars),
        "addition": lambda: chosen.add(elements, elements[::-1]),
        "hash to group": lambda: hash_items(chosen, messages),
    }
    for operation, work in works.items():
        yield Step(Subject(operation, stage.suite, backend=stage.backend), Work(count, cpu(work)))


def blind_step(stage: Stage, setting: Setting) -> Step:
    """Hash and multiply; it is the same for both tables."""
    count = min(stage.listed, 4 * setting.batch[stage.suite])
    items = stage.built.layout.items[:count]
    work = Work(count, cpu(lambda: blind_items(stage.group, items, stage.built.secrets)))
    return Step(Subject("blind", stage.suite, backend=stage.backend), work)


def table_steps(stage: Stage, setting: Setting) -> Iterator[Step]:
    """What depends on the table: encoding a blinded list, doing both, sealing and matching, and their products."""
    count = setting.batch[stage.suite]

    def step(operation: str, items: int, work: Callable[[], object], **parameters: int) -> Step:
        subject = Subject(operation, stage.suite, stage.encoding, stage.backend, parameters)
        return Step(subject, Work(items, cpu(work)))

    def encode() -> object:
        return build_table(stage.group, stage.encoding, stage.hashes, blind=lambda _items, _secrets: [stage.blinded])

    def build() -> object:
        return build_table(stage.group, stage.encoding, stage.hashes)

    yield step("encode", stage.listed, encode, listed=stage.listed)
    yield step("blind and encode", stage.listed, build, listed=stage.listed)
    for associated in setting.associated:
        parameters = {"probes": 1, "rows": SHARING.rows, "associated_bytes": associated}
        yield step("seal", count, _sealing(stage, device_items(count, associated)), **parameters)
    yield step(PRODUCTS["seal"], count, _sealing_products(stage, count))
    vouchers = stage.vouchers(count)
    yield step("match", count, lambda: stage.matches(vouchers), probes=1, rows=SHARING.rows)
    yield step(PRODUCTS["match"], count, _matching_products(stage, vouchers))


def _sealing_products(stage: Stage, count: int) -> Callable[[], object]:
    """All that sealing asks of the group."""
    chosen, slots = stage.group, stage.manifest.slots
    messages = [item.probes[0].encode() for item in device_items(count)]
    probed = Probed(messages, item_tag(chosen), stage.built.table.read(messages))
    betas, gammas = chosen.random_scalars(2 * count * slots, secrets.token_bytes).reshape(2, count, slots, -1)
    key = np.frombuffer(stage.manifest.key, np.uint8).reshape(1, -1)
    return lambda: chosen.seal(probed, betas, gammas, key)


def _matching_products(stage: Stage, vouchers: Sequence[bytes]) -> Callable[[], object]:
    """All that matching asks of the group."""
    chosen, alpha = stage.group, stage.built.secrets.scalar(stage.group)
    q = unpack_slots(vouchers, stage.manifest).q
    return lambda: chosen.multiply_untrusted(alpha, q)


def _sealing(stage: Stage, items: Sequence[Item]) -> Callable[[], object]:
    return lambda: seal(stage.device, items)
