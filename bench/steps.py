"""The steps of the protocol as tasks, for every suite and table encoding."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from bench.measure import Subject, Task, Work, cpu
from bench.settings import BACKENDS, Setting
from bench.stage import SHARING, Stage, device_items
from tpsi import Item, build_table, group, seal
from tpsi.table import blind_items, hash_items

#: The yardstick of a suite: other costs are given in scalar multiplications too.
YARDSTICK = "scalar multiplication"
#: What stands beside the steps that a peer has too: its work by the names of these steps.
PeerWorks: TypeAlias = Mapping[str, Mapping[str, Work]]
_LEAST = 16  # multiplications of a yardstick, so that what a call costs by itself does not count


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
        subject = Subject(operation, suite, backend=BACKENDS[suite])
        yield Task(subject, Work(count, cpu(work)), yardstick(suite, setting))


def yardstick(suite: str, setting: Setting) -> dict[str, Work]:
    """Scalar multiplications for some milliseconds, to stand beside a step."""
    chosen, count = group(suite), max(_LEAST, setting.batch[suite] // 2)
    elements = hash_items(chosen, [item.probes[0].encode() for item in device_items(count)])
    scalars = chosen.random_scalars(count, secrets.token_bytes)
    return {YARDSTICK: Work(count, cpu(lambda: chosen.multiply(scalars, elements)))}


def blind_task(stage: Stage, setting: Setting) -> Task:
    """Hash and multiply; it is the same for both tables."""
    count = min(stage.listed, 4 * setting.batch[stage.suite])
    items = stage.built.layout.items[:count]
    subject = Subject("blind", stage.suite, backend=stage.backend)
    work = Work(count, cpu(lambda: blind_items(stage.group, items, stage.built.secrets)))
    return Task(subject, work, yardstick(stage.suite, setting))


def table_tasks(stage: Stage, setting: Setting, peer: PeerWorks) -> Iterator[Task]:
    """What depends on the table: encoding a list that is blinded already, doing both, sealing, matching."""
    scale, count = yardstick(stage.suite, setting), setting.batch[stage.suite]

    def task(operation: str, work: Work, compared: bool, **parameters: int) -> Task:
        subject = Subject(operation, stage.suite, stage.encoding, stage.backend, parameters)
        return Task(subject, work, scale | dict(peer.get(operation, {}) if compared else {}))

    def encode() -> object:
        return build_table(stage.group, stage.encoding, stage.hashes, blind=lambda _items, _secrets: [stage.blinded])

    def build() -> object:
        return build_table(stage.group, stage.encoding, stage.hashes)

    yield task("encode", Work(stage.listed, cpu(encode)), False, listed=stage.listed)
    yield task("blind and encode", Work(stage.listed, cpu(build)), True, listed=stage.listed)
    for associated in setting.associated:
        work = Work(count, cpu(_sealing(stage, device_items(count, associated))))
        parameters = {"probes": 1, "rows": SHARING.rows, "associated_bytes": associated}
        yield task("seal", work, associated == 0, **parameters)
    vouchers = stage.vouchers(count)
    work = Work(count, cpu(lambda: stage.matches(vouchers)))
    yield task("match", work, True, probes=1, rows=SHARING.rows)


def _sealing(stage: Stage, items: Sequence[Item]) -> Callable[[], object]:
    return lambda: seal(stage.device, items)
