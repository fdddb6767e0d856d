"""End to end: vouchers a second over gRPC with TLS, each acknowledged when it is durable, beside the store alone."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.errors import BenchError
from bench.measure import Progress
from bench.serving import Prepared, prepare, serving
from bench.settings import Setting
from bench.spread import Spread, ratios
from bench.stage import ACCOUNT, device_items
from tpsi import Header, seal
from tpsi.voucher import VOUCHER_ID_SIZE
from tpsi_client.endpoint import Endpoint
from tpsi_client.service import Service
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Store
from tpsi_server.store import Delivery, Incoming
from tpsi_server.tls import CA_CERTIFICATE

#: On the disk of the checkout: a folder for temporary files may be in memory, where all is durable at once.
FOLDER = Path(__file__).resolve().parent.parent / "bench-out"
#: Batches that are on their way at a time, as many as a device sends.
WINDOW = 4
_LISTED = 200
_MATCH_SECONDS = 120
_SEALED = 8  # vouchers that are really sealed; others are these under other ids


@dataclass(frozen=True, slots=True)
class Upload:
    """Vouchers of `octets` each, `batch` of them in a batch, `vouchers` in a sample; seconds of each sample.

    `store_seconds`: the same number, a transaction for each batch, by the server's store alone. `matched_seconds`: from
    the first one on its way until the server's one matching process has looked at the last one.
    """

    suite: str
    table: str
    associated: int
    octets: int
    vouchers: int
    batch: int
    seconds: tuple[float, ...]
    store_seconds: tuple[float, ...]
    matched_seconds: tuple[float, ...]

    @property
    def rate(self) -> Spread:
        """Vouchers a second, end to end."""
        return Spread.of([self.vouchers / taken for taken in self.seconds])

    @property
    def store_rate(self) -> Spread:
        """Vouchers a second into the store."""
        return Spread.of([self.vouchers / taken for taken in self.store_seconds])

    @property
    def matched_rate(self) -> Spread:
        """Vouchers a second, end to end and matched."""
        return Spread.of([self.vouchers / taken for taken in self.matched_seconds])

    @property
    def ratio(self) -> Spread:
        """End to end ÷ store, as rates: the part of the store's speed that arrives at a device."""
        return Spread.of(ratios(self.store_seconds, self.seconds))


def measure_uploads(suites: Sequence[str], tables: Sequence[str], setting: Setting, progress: Progress) -> list[Upload]:
    """Upload to one server that has an epoch for every suite and table; BenchError if not all is acknowledged."""
    wanted = [(suite, table) for suite in suites for table in tables]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=FOLDER) as path:
        progress(0, 1, "preparing a server")
        prepared = prepare(Path(path, "server"), wanted, _LISTED)
        with ExitStack() as stack:
            alone = stack.enter_context(_empty_store(Path(path, "store.sqlite3")))
            port = stack.enter_context(serving(prepared.folder)).port
            servers = stack.enter_context(Store.open(prepared.folder.database))
            return asyncio.run(_measure(_Course(prepared, port, servers, alone, setting), progress))


@dataclass(frozen=True, slots=True)
class _Course:
    """What a sample runs on: a server on a port, a look into its store, and another store on the same disk."""

    prepared: Prepared
    port: int
    servers: Store
    alone: Store
    setting: Setting


def endpoint_of(prepared: Prepared, port: int) -> Endpoint:
    """Where the benchmark's device finds the server that serves from a folder."""
    authority = (prepared.folder.tls / CA_CERTIFICATE).read_text(encoding="ascii")
    return Endpoint("localhost", port, authority, prepared.token)


def _empty_store(path: Path) -> Store:
    """A store beside the server's, on the same disk."""
    store = Store.create(path)
    store.accounts.add(ACCOUNT, time.time())
    store.epochs.add(1, bytes(32), time.time())
    return store


async def _measure(course: _Course, progress: Progress) -> list[Upload]:
    setting, found = course.setting, list[Upload]()
    cases = [(device, associated) for device in course.prepared.devices for associated in setting.associated]
    async with Service(endpoint_of(course.prepared, course.port)) as service:
        for number, (device, associated) in enumerate(cases):
            suite, table = device.manifest.suite, device.manifest.encoding
            progress(number, len(cases), f"uploading {suite} {table}")
            sealed = [one.data for one in seal(device, device_items(_SEALED, associated)).vouchers]
            await _sample(course, service, [sealed])  # connection, processes and caches are there from now on
            rounds = [list(_batches(sealed, setting)) for _ in range(setting.repeats)]
            samples = [await _sample(course, service, batches) for batches in rounds]
            sizes = (associated, len(sealed[0]), setting.upload, setting.upload_batch)
            found.append(Upload(suite, table, *sizes, *zip(*samples, strict=True)))
    return found


async def _sample(course: _Course, service: Service, batches: Sequence[Sequence[bytes]]) -> tuple[float, float, float]:
    """Seconds end to end, of the store alone, and until all is matched: each begins when nothing else is under way."""
    start = time.perf_counter()
    acknowledged = await _upload(service, batches)
    while course.servers.vouchers.count_waiting():
        if time.perf_counter() - start > _MATCH_SECONDS:
            raise BenchError(f"the server has not matched all vouchers after {_MATCH_SECONDS} seconds")
        await asyncio.sleep(0.01)
    matched = time.perf_counter() - start
    return acknowledged, _store(course.alone, batches), matched


def _batches(sealed: Sequence[bytes], setting: Setting) -> Iterator[list[bytes]]:
    """Vouchers under fresh ids: to the server they are new ones, that match nothing."""
    for start in range(0, setting.upload, setting.upload_batch):
        count = min(setting.upload_batch, setting.upload - start)
        yield [renamed(sealed[number % len(sealed)]) for number in range(count)]


def renamed(voucher: bytes) -> bytes:
    """The same voucher under a fresh id."""
    start = voucher.index(Header.decode(voucher).voucher_id)
    return voucher[:start] + secrets.token_bytes(VOUCHER_ID_SIZE) + voucher[start + VOUCHER_ID_SIZE :]


async def _upload(service: Service, batches: Sequence[Sequence[bytes]]) -> float:
    """Seconds from the first batch on its way to the last acknowledgement."""
    window = asyncio.Semaphore(WINDOW)

    async def sending() -> AsyncIterator[pb.UploadBatch]:
        for number, batch in enumerate(batches, 1):
            await window.acquire()
            yield pb.UploadBatch(sequence=number, vouchers=batch)

    stored = 0
    start = time.perf_counter()
    async with aclosing(service.upload(sending())) as acks:
        async for ack in acks:
            window.release()
            stored += ack.stored
    taken = time.perf_counter() - start
    if stored != sum(map(len, batches)):
        raise BenchError(f"the server acknowledged {stored} vouchers of {sum(map(len, batches))}")
    return taken


def _store(store: Store, batches: Sequence[Sequence[bytes]]) -> float:
    """Seconds to store the same vouchers, a transaction for each batch."""
    deliveries = [Delivery(ACCOUNT, [_incoming(voucher) for voucher in batch]) for batch in batches]
    start = time.perf_counter()
    for delivery in deliveries:
        store.vouchers.store([delivery], time.time())
    return time.perf_counter() - start


def _incoming(voucher: bytes) -> Incoming:
    return Incoming(Header.decode(voucher).voucher_id, sha256(voucher).digest(), 0, 1, voucher)
