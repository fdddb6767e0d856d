"""One run of the benchmark: what was asked for, and all that came out."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import Compared, compare
from bench.errors import PeerUnavailableError
from bench.large import MILLION, Large, measure_large
from bench.machine import Machine, this_machine
from bench.measure import Cost, Progress, Task, measure
from bench.peer import NAME, Peer
from bench.peer_environment import peer_python
from bench.reveals import reveal_tasks
from bench.settings import Setting
from bench.sizes import TableSize, VoucherSize, built_size, sealed_sizes, table_sizes
from bench.stage import Stage
from bench.steps import blind_task, group_tasks, table_tasks
from bench.uploads import Upload, measure_uploads


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure.

    `peer_folder` is where the peer's environment lies or will lie; None leaves the peer out. `million`: build a table
    of a million hashes, too, and seal from it, which takes minutes. `uploads`: run a server, and upload to it.
    """

    setting: Setting
    suites: Sequence[str]
    tables: Sequence[str]
    peer_folder: Path | None
    million: bool = False
    uploads: bool = True


@dataclass(frozen=True, slots=True)
class PeerFound:
    """The peer that was measured, or why there was none. `bytes_per_hash`: of what a device downloads from it."""

    version: str | None = None
    bytes_per_hash: float | None = None
    listed: int | None = None
    items: int | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    machine: Machine
    setting: Setting
    costs: Sequence[Cost]
    tables: Sequence[TableSize]
    vouchers: Sequence[VoucherSize]
    peer: PeerFound
    compared: Sequence[Compared]
    large: Large | None
    uploads: Sequence[Upload]


def run(asked: Asked, progress: Progress) -> Results:
    """Measure everything that was asked for."""
    machine, setting = this_machine(), asked.setting
    stages = [Stage(suite, table, setting.listed[suite]) for suite in asked.suites for table in asked.tables]
    for number, stage in enumerate(stages):
        progress(number, len(stages), f"preparing {stage.suite} {stage.encoding}")
        stage.check()
    with ExitStack() as stack:
        peer, found = _peer(asked, stack, progress)
        tasks = list(_tasks(asked, stages, peer))
        costs = measure(tasks, setting.repeats, progress)
    return Results(
        machine,
        setting,
        costs,
        [*(built_size(stage) for stage in stages), *table_sizes(asked.suites, asked.tables)],
        [size for stage in stages for size in sealed_sizes(stage, setting.associated)],
        found,
        list(compare(costs, asked.suites, asked.tables)) if peer else [],
        measure_large(MILLION, progress) if asked.million else None,
        measure_uploads(asked.suites, asked.tables, setting, progress) if asked.uploads else [],
    )


def _tasks(asked: Asked, stages: Sequence[Stage], peer: Peer | None) -> Iterator[Task]:
    setting, works = asked.setting, peer.works() if peer else {}
    for suite in asked.suites:
        mine = [stage for stage in stages if stage.suite == suite]
        yield from group_tasks(suite, setting)
        yield blind_task(mine[0], setting)
        for stage in mine:
            yield from table_tasks(stage, setting, works)
    yield from reveal_tasks(setting.examined)


def _peer(asked: Asked, stack: ExitStack, progress: Progress) -> tuple[Peer | None, PeerFound]:
    """Start the peer; without one, the results say why."""
    setting = asked.setting
    if asked.peer_folder is None:
        return None, PeerFound(missing="it was left out on request")
    progress(0, 1, f"preparing {NAME}")
    items = max(setting.batch.values())
    try:
        peer = stack.enter_context(Peer(peer_python(asked.peer_folder), min(setting.listed.values()), items))
    except PeerUnavailableError as error:
        return None, PeerFound(missing=str(error))
    return peer, PeerFound(peer.version, peer.setup_bytes / peer.listed, peer.listed, peer.items)
