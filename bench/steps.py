"""The steps of the protocol as tasks, for every suite and table encoding."""

import secrets
from collections.abc import Callable, Iterator, Sequence

from bench.measure import Subject, Task, cpu
from bench.settings import BACKENDS, Setting
from bench.stage import SHARING, Stage, device_items
from tpsi import Item, build_table, group, seal
from tpsi.table import blind_items, hash_items

#: The yardstick of a suite: other costs are given in scalar multiplications too.
YARDSTICK = "scalar multiplication"


def group_tasks(suite: str, setting: Setting) -> Iterator[Task]:
    """What the group itself costs: nothing of the protocol can be faster than its share of these."""
    chosen, count = group(suite), setting.batch[suite]
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
        yield Task(Subject(operation, suite, backend=BACKENDS[suite]), count, cpu(work))


def blind_task(stage: Stage, setting: Setting) -> Task:
    """Hash and multiply; it is the same for both tables."""
    count = min(stage.listed, 4 * setting.batch[stage.suite])
    items = stage.built.layout.items[:count]
    subject = Subject("blind", stage.suite, backend=stage.backend)
    return Task(subject, count, cpu(lambda: blind_items(stage.group, items, stage.built.secrets)))


def table_tasks(stage: Stage, setting: Setting) -> Iterator[Task]:
    """What depends on the table: encoding a list that is blinded already, sealing, matching."""

    def subject(operation: str, **parameters: int) -> Subject:
        return Subject(operation, stage.suite, stage.encoding, stage.backend, parameters)

    def encode() -> object:
        return build_table(stage.group, stage.encoding, stage.hashes, blind=lambda _items, _secrets: stage.blinded)

    count = setting.batch[stage.suite]
    yield Task(subject("encode", listed=stage.listed), stage.listed, cpu(encode))
    for associated in setting.associated:
        items = device_items(count, associated)
        parameters = {"probes": 1, "rows": SHARING.rows, "associated_bytes": associated}
        yield Task(subject("seal", **parameters), count, cpu(_sealing(stage, items)))
    vouchers = stage.vouchers(count)
    yield Task(subject("match", probes=1, rows=SHARING.rows), count, cpu(lambda: stage.matches(vouchers)))


def _sealing(stage: Stage, items: Sequence[Item]) -> Callable[[], object]:
    return lambda: seal(stage.device, items)
