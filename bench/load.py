"""A long load: uploads to a real server at a share of its highest rate, with its memory watched all the time.

The highest rate is measured first, on the same server, with matching under way as it always is: uploads as fast as
acknowledgements come back. Then batches leave at fixed times, `share` of that rate, and wait for nobody: a server that
cannot keep up shows in the rate and in the latencies.
"""

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.grids import Grid
from bench.machine import Machine, this_machine
from bench.measure import Progress
from bench.memory import resident
from bench.serving import Prepared, prepare, serving
from bench.stage import device_items
from bench.uploads import FOLDER, WINDOW, endpoint_of, renamed
from tpsi import seal
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.table import FuseGeometry
from tpsi_client.service import Service
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Store

BATCH = 256
_LISTED, _SEALED = 200, 8
#: Growth of memory that counts as flat, over the time that is judged: whichever of the two is more.
FLAT_SHARE, FLAT_OCTETS = 0.10, 16 << 20
#: The first part of the run, which is not judged: pools of memory fill up in it.
WARM_UP = 0.25
#: Seconds that matching may go on after the load.
DRAINING = 120.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`seconds` at `share` of the rate that `probe` seconds of uploads at full speed show."""

    seconds: float
    share: float
    probe: float = 5.0
    sample: float = 1.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of it. Rates are in vouchers a second, latencies in seconds, memory in octets.

    `memory`: (seconds since the start, what all processes of the server had resident). `waiting`: vouchers that had
    yet to be matched at the end, `drained`: seconds until they were.
    """

    machine: Machine
    plan: LoadPlan
    highest: float
    wanted: float
    achieved: float
    acknowledged: int
    latencies: tuple[float, ...]
    memory: tuple[tuple[float, int], ...]
    waiting: int
    drained: float | None
    stored_octets: int

    @property
    def growth(self) -> float:
        """Octets by which memory grew in the part of the run that is judged, on the line that fits it best."""
        return growth(self.memory)

    @property
    def flat(self) -> bool:
        """Whether memory was flat: its growth is below a tenth of its median, or below 16 MiB."""
        typical = float(np.median([octets for _, octets in judged(self.memory)]))
        return self.growth <= max(FLAT_SHARE * typical, FLAT_OCTETS)


def judged(memory: Sequence[tuple[float, int]]) -> Sequence[tuple[float, int]]:
    """The samples after the first quarter of the time."""
    end = memory[-1][0]
    return [one for one in memory if one[0] >= WARM_UP * end] or memory


def growth(memory: Sequence[tuple[float, int]]) -> float:
    """The slope of the line through the judged samples (least squares), times their duration."""
    times, octets = (np.array(values, np.float64) for values in zip(*judged(memory), strict=True))
    if len(times) < 2 or times[-1] == times[0]:
        return 0.0
    slope = np.polyfit(times - times[0], octets, 1)[0]
    return float(slope * (times[-1] - times[0]))


def measure_load(plan: LoadPlan, progress: Progress) -> Loaded:
    """Run a server and load it; BenchError if it fails."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="load-", dir=FOLDER) as path:
        progress(0, 1, "preparing a server")
        prepared = prepare(Path(path, "server"), [(RISTRETTO255_SHA512, FuseGeometry.encoding)], _LISTED)
        with ExitStack() as stack:
            server = stack.enter_context(serving(prepared.folder))
            store = stack.enter_context(Store.open(prepared.folder.database))
            return asyncio.run(_Course(plan, prepared, server.port, server.process, store, progress).run())


@dataclass(frozen=True, slots=True)
class _Course:
    plan: LoadPlan
    prepared: Prepared
    port: int
    process: int
    store: Store
    progress: Progress

    async def run(self) -> Loaded:
        plan = self.plan
        (device,) = self.prepared.devices
        sealed = [one.data for one in seal(device, device_items(_SEALED)).vouchers]
        async with Service(endpoint_of(self.prepared, self.port)) as service:
            self.progress(0, 1, "measuring the highest rate")
            probed = await _upload(service, sealed, plan.probe, None)
            highest = BATCH * len(probed) / plan.probe
            await self._drain()
            memory: list[tuple[float, int]] = []
            watching = asyncio.create_task(self._watch(memory))
            latencies = await _upload(service, sealed, plan.seconds, plan.share * highest)
            waiting = self.store.vouchers.count_waiting()
            watching.cancel()
            drained = await self._drain()
        acknowledged = BATCH * len(latencies)
        return Loaded(
            this_machine(),
            plan,
            highest,
            plan.share * highest,
            acknowledged / plan.seconds,
            acknowledged,
            tuple(latencies),
            tuple(memory),
            waiting,
            drained,
            sum(file.stat().st_size for file in self.prepared.folder.path.glob("*.sqlite3*")),
        )

    async def _watch(self, memory: list[tuple[float, int]]) -> None:
        start = time.perf_counter()
        while True:
            taken = time.perf_counter() - start
            memory.append((taken, await asyncio.to_thread(resident, self.process)))
            self.progress(int(taken), max(1, int(self.plan.seconds)), f"load at {self.plan.share:.0%}")
            await asyncio.sleep(self.plan.sample)

    async def _drain(self) -> float | None:
        """Seconds until nothing waits to be matched; None if that takes more than `DRAINING`."""
        start = time.perf_counter()
        while self.store.vouchers.count_waiting():
            taken = time.perf_counter() - start
            self.progress(0, 1, "matching what waits")
            if taken > DRAINING:
                return None
            await asyncio.sleep(0.1)
        return time.perf_counter() - start


async def _upload(service: Service, sealed: Sequence[bytes], seconds: float, rate: float | None) -> list[float]:
    """Upload for some seconds, at a rate or as fast as it goes; gives the latency of every batch acknowledged in time.

    At a rate, latency counts from the time at which a batch was due.
    """
    window = asyncio.Semaphore(WINDOW)
    due: deque[float] = deque()
    start = time.perf_counter()

    async def sending() -> AsyncIterator[pb.UploadBatch]:
        for number in range(1, 2**31):
            planned = start if rate is None else start + number * BATCH / rate
            if (early := planned - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            await window.acquire()
            now = time.perf_counter()
            if now - start >= seconds:
                return
            due.append(now if rate is None else planned)
            yield pb.UploadBatch(sequence=number, vouchers=[renamed(sealed[n % len(sealed)]) for n in range(BATCH)])

    latencies: list[float] = []
    async with aclosing(service.upload(sending())) as acks:
        async for _ in acks:
            window.release()
            now = time.perf_counter()
            taken = now - due.popleft()
            if now - start < seconds:
                latencies.append(taken)
    return latencies


def render_load(loaded: Loaded) -> Iterator[Grid]:
    """What a person is told."""
    plan, machine = loaded.plan, loaded.machine
    grid = Grid(f"Load: {plan.seconds / 60:g} minutes at {plan.share:.0%} of the highest rate", ("",), ("",))
    grid.add("highest rate, acknowledged when durable, with matching under way", f"{loaded.highest:,.0f} a second")
    grid.add("rate wanted", f"{loaded.wanted:,.0f} a second")
    grid.add("rate achieved", f"{loaded.achieved:,.0f} a second")
    grid.add("vouchers acknowledged", f"{loaded.acknowledged:,}")
    if loaded.latencies:
        middle, high = np.percentile(loaded.latencies, (50, 99)).tolist()
        grid.add(f"latency of a batch of {BATCH}, median and 99th percentile", f"{middle:.3f} s, {high:.3f} s")
    grid.add("vouchers that had yet to be matched at the end", f"{loaded.waiting:,}")
    drained = f"more than {DRAINING:g}" if loaded.drained is None else f"{loaded.drained:.1f}"
    grid.add("seconds until they were", drained)
    octets = [octets / 2**20 for _, octets in loaded.memory]
    for number, part in enumerate(np.array_split(octets, 4), 1):
        if len(part):
            grid.add(f"memory of the server, median of quarter {number}", f"{np.median(part):.0f} MiB")
    grid.add("memory of the server at most", f"{max(octets):.0f} MiB")
    grid.add("growth after the first quarter", f"{loaded.growth / 2**20:+.1f} MiB")
    grid.add("memory was flat", "yes" if loaded.flat else "NO")
    grid.add("database at the end", f"{loaded.stored_octets / 2**20:,.0f} MiB")
    grid.notes.extend(
        [
            f"{machine.processor}, {machine.cores} cores, {machine.python}, native core: {machine.native}, commit "
            f"{machine.commit}, {machine.date}",
            f"Flat: on the line that fits the samples after the first quarter best, memory grows by less than "
            f"{FLAT_SHARE:.0%} of its median or {FLAT_OCTETS >> 20} MiB. It is what all processes of the server have "
            "resident together.",
        ]
    )
    yield grid
