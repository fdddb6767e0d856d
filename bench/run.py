"""One run of the benchmark: what was asked for, and all that came out."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import Compared, compare
from bench.cores import Scaling, measure_cores
from bench.crew import Member, backends, suites_of
from bench.errors import PeerUnavailableError
from bench.growth import Grown, measure_growth
from bench.machine import Machine, this_machine
from bench.measure import Cost, Progress, Task, measure
from bench.peer import NAME, Peer
from bench.peer_environment import peer_python
from bench.reveals import reveal_tasks
from bench.settings import Setting
from bench.sizes import TableSize, VoucherSize, built_size, sealed_sizes, table_sizes
from bench.stage import Stage
from bench.steps import YARDSTICK
from bench.uploads import Upload, measure_uploads


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure.

    `peer_folder` is where the peer's environment lies or will lie; None leaves the peer out. `growth`: sizes of lists
    to import, to build a table of, and to seal from. `uploads`: run a server, and upload to it. `backends`: what is to
    compute in the groups, by default all that is installed. `cores`: compare two cores with one.
    """

    setting: Setting
    suites: Sequence[str]
    tables: Sequence[str]
    peer_folder: Path | None
    growth: Sequence[int] = ()
    uploads: bool = True
    backends: Sequence[str] = ()
    cores: bool = True


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
    scaling: Sequence[Scaling]
    grown: Sequence[Grown]
    uploads: Sequence[Upload]


def run(asked: Asked, progress: Progress) -> Results:
    """Measure everything that was asked for."""
    machine, setting = this_machine(), asked.setting
    with ExitStack() as stack:
        progress(0, 1, "preparing")
        members = [stack.enter_context(member) for member in _members(asked)]
        peer, found = _peer(asked, stack, progress)
        tasks = [*_tasks(members, peer), *reveal_tasks(setting.examined)]
        costs = measure(tasks, setting.repeats, progress)
        scaling = _scaling(asked, members, progress)
    stages = [Stage(suite, table, setting.listed[suite]) for suite in asked.suites for table in asked.tables]
    return Results(
        machine,
        setting,
        costs,
        [*(built_size(stage) for stage in stages), *table_sizes(asked.suites, asked.tables)],
        [size for stage in stages for size in sealed_sizes(stage, setting.associated)],
        found,
        list(compare(costs)) if peer else [],
        scaling,
        measure_growth(asked.growth, progress),
        measure_uploads(asked.suites, asked.tables, setting, progress) if asked.uploads else [],
    )


def _members(asked: Asked) -> Iterator[Member]:
    for backend in asked.backends or backends():
        if suites := suites_of(backend, asked.suites):
            yield Member(backend, asked.setting, suites, asked.tables)


def _scaling(asked: Asked, members: Sequence[Member], progress: Progress) -> list[Scaling]:
    """Two cores against one, for every member."""
    if not asked.cores or this_machine().cores < 2:
        return []
    found: list[Scaling] = []
    for ours, fresh in zip(members, _members(asked), strict=True):
        with fresh as theirs:
            found += measure_cores(ours, theirs, asked.setting.repeats, progress)
    return found


def _tasks(members: Sequence[Member], peer: Peer | None) -> Iterator[Task]:
    """Every step of every member, beside a scalar multiplication of the same, and the peer's like step."""
    works = peer.works() if peer else {}
    for member in members:
        scales = {step.subject.suite: step.work for step in member.steps if step.subject.operation == YARDSTICK}
        for step in member.steps:
            subject = step.subject
            beside = {YARDSTICK: scales[subject.suite]}
            if not subject.parameters.get("associated_bytes"):
                beside |= works.get(subject.operation, {})
            yield Task(subject, step.work, beside)


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
