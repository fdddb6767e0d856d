"""A device, awaitable: what waits for a network is async at heart, what computes runs in threads."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tpsi import Item, Manifest, Pins, SyntheticMode
from tpsi.log import Frontier, Notice, SignedCheckpoint
from tpsi_client.enrolling import Choices, Enrolled, enrol
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import ForkError
from tpsi_client.evidence import keep
from tpsi_client.fetching import Progress, download, newest
from tpsi_client.home import Home, HomeLock, default_home
from tpsi_client.local import LocalDevice, silent
from tpsi_client.log import follow, notices, policy
from tpsi_client.scanning import ScanReport
from tpsi_client.selfcheck import SelfCheck, self_check
from tpsi_client.service import Patience, Retry, Service
from tpsi_client.state import settings
from tpsi_client.status import Status
from tpsi_client.tables import TableFolder, prune
from tpsi_client.uploading import UploadReport, upload

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FetchReport:
    """`new`: the epoch was not known before; `received`: octets of its table that came over the network; `check` is
    None if there was nothing new to check; `notices`: what the server newly told of reveals of this account."""

    epoch: int
    items: int
    new: bool
    received: int
    check: SelfCheck | None
    notices: tuple[Notice, ...] = ()


class AsyncDevice:
    """A device in a folder of its own. Open or enrol it, use it, close it; or use it as an async context manager.

    It holds the folder's lock while it is open, so that two processes never seal the same picture twice.
    Network calls are tried again with growing pauses, as `patience` says. Every error is a TpsiError.
    """

    def __init__(self, local: LocalDevice, patience: Patience) -> None:
        self._local, self._patience = local, patience
        self._network = asyncio.Lock()
        #: What enrolling found out; None for a device that was opened.
        self.enrolled: Enrolled | None = None

    @classmethod
    async def open(
        cls, home: Path | str | None = None, *, read_only: bool = False, patience: Patience | None = None
    ) -> Self:
        """Open an enrolled device; `home` defaults to `$TPSI_HOME` or the usual place for application data.

        Raises NotEnrolledError, LockedError, HomeError, DiskError.
        """
        path = _path(home)
        local = await asyncio.to_thread(LocalDevice.open, path, read_only=read_only)
        return cls(local, patience or Patience())

    @classmethod
    async def enrol(
        cls,
        home: Path | str | None,
        enrolment: Enrolment | Path | str,
        choices: Choices | None = None,
        *,
        fetch: bool = True,
        progress: Progress = silent,
        patience: Patience | None = None,
    ) -> Self:
        """Enrol a device, or renew the connection of one that is; then fetch the table, unless `fetch` is false.

        Raises EnrolmentError, SelfCheckError, VerificationError, ServiceError and its subclasses, HomeError,
        LockedError, DiskError. If only the fetching fails, the device is enrolled and can go on with `fetch`.
        """
        if not isinstance(enrolment, Enrolment):
            enrolment = Enrolment.read(Path(enrolment))
        path, patience = _path(home), patience or Patience()
        lock = HomeLock(Home(path))
        try:
            async with Service(enrolment.endpoint) as service:
                enrolled = await enrol(service, Home(path), enrolment, choices or Choices())
        finally:
            lock.release()
        device = await cls.open(path, patience=patience)
        device.enrolled = enrolled
        if fetch:
            try:
                await device.fetch(progress=progress)
            except BaseException:
                device.close()
                raise
        return device

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder. The device can't be used afterwards."""
        self._local.close()

    @property
    def local(self) -> LocalDevice:
        """The synchronous half."""
        return self._local

    async def fetch(self, *, progress: Progress = silent) -> FetchReport:
        """Bring the newest table here, unless it is here, and use it from now on.

        Raises VerificationError if manifest, chain or table are not as they must be: then the device goes on
        with what it has; ServiceError, DiskError: then the next fetch goes on where this one ended.
        """
        local = self._local
        local.require_writable()
        async with self._network, self._service() as service:
            retry, chain = Retry(self._patience), local.state.chain
            seen = await asyncio.to_thread(chain.newest)
            arrival = await retry.persist(lambda: newest(service, local.configuration.pins, seen))
            manifest = arrival.manifest
            digest = manifest.digest
            await self._follow_log(service, retry, manifest)
            told = await self._notices(service, retry)
            check = None
            if chain.in_use() != digest:
                check = await retry.persist(lambda: self_check(service, manifest))
            folder = TableFolder.of(local.home, manifest)
            folder.save_manifest(arrival.envelope)
            chain.follow(arrival.links)
            received = await download(service, folder, retry, progress)
            chain.use(digest)
            local.state.note(settings.LAST_FETCH, str(int(time.time())))
        local.forget_table()
        await asyncio.to_thread(prune, local.home, digest)
        return FetchReport(manifest.epoch, manifest.items, seen is None or seen.digest != digest, received, check, told)

    async def upload(self, *, progress: Progress = silent, again: bool = False) -> UploadReport:
        """Send all queued vouchers, with `again` the refused ones, too, as they are.

        A voucher that the server refuses (because its epoch is retired, say) is kept aside and counted, and
        never sealed again by itself: that would show the server what changed. Raises ServiceError when patience is
        over; what was acknowledged by then stays so.
        """
        local = self._local
        local.require_writable()
        async with self._network:
            if again:
                await asyncio.to_thread(local.state.outbox.requeue_refused)
            async with self._service() as service:
                report = await upload(service, local.state, Retry(self._patience), progress)
            if report.acknowledged:
                local.state.note(settings.LAST_UPLOAD, str(int(time.time())))
        return report

    async def seal(self, items: Sequence[Item]) -> list[bytes]:
        """Seal items for a transport of your own, without any network: vouchers in random order.

        Items and vouchers don't correspond one to one in mode add. When this returns, the device remembers the
        items durably and will never seal them again by itself: deliver these octets, or lose the items.
        """
        return await self._in_thread(lambda _stop: self._local.seal(items))

    async def queue(self, items: Sequence[Item]) -> int:
        """Seal items into the outbox, to be uploaded or exported; how many vouchers were made."""
        return await self._in_thread(lambda _stop: self._local.queue(items))

    async def seal_files(
        self,
        paths: Sequence[Path | str],
        *,
        types: Sequence[str] = (),
        mirrored: bool = False,
        originals: Path | None = None,
        progress: Progress = silent,
    ) -> ScanReport:
        """Hash and seal pictures into the outbox; files that were sealed before, and did not change, are left out.

        `types`: hash types to use instead of all that the list has; `mirrored`: seal every picture's mirror image,
        too, in a voucher of its own, so that a picture of which the list has both counts for two; `originals`: a
        folder to write the encrypted originals to. Files that can't be used are listed in the report.
        """
        files = [Path(path) for path in paths]
        return await self._in_thread(
            lambda stop: self._local.scan(
                files, types=types, mirrored=mirrored, originals=originals, progress=progress, stop=stop
            )
        )

    async def scan(
        self,
        folder: Path | str,
        *,
        types: Sequence[str] = (),
        mirrored: bool = False,
        videos: bool = False,
        originals: Path | None = None,
        progress: Progress = silent,
    ) -> ScanReport:
        """`seal_files` for all pictures, and if `videos` also these, in a folder and below.

        Of a video one frame for each scene is sealed: it counts as often as the list has different ones of them.
        """
        top = Path(folder)
        return await self._in_thread(
            lambda stop: self._local.scan(
                top,
                types=types,
                mirrored=mirrored,
                videos=videos,
                originals=originals,
                progress=progress,
                stop=stop,
            )
        )

    async def export(self, path: Path | str, *, again: bool = False) -> int:
        """Write queued vouchers into a new file, for another way to the server; how many.

        They stay queued until `delivered` or an upload; a later export has those of earlier ones only if `again`.
        """
        return await self._in_thread(lambda _stop: self._local.export(Path(path), again=again))

    async def delivered(self, path: Path | str) -> int:
        """Say that an exported file has arrived: its vouchers leave the queue; how many it holds."""
        return await self._in_thread(lambda _stop: self._local.delivered(Path(path)))

    async def rescan(self) -> None:
        """Begin another generation, in which everything is sealed afresh. What waits to be sent is dropped.

        The server gets a second, independent look at how many items match; nothing else links the two.
        """
        await self._in_thread(lambda _stop: self._local.rescan())

    async def pin(
        self,
        *,
        lowest_threshold: int | None = None,
        least_synthetic: int | None = None,
        modes: tuple[SyntheticMode, ...] | None = None,
        auditor_keys: tuple[bytes, ...] | None = None,
        auditors_needed: int | None = None,
        trusts_separation: bool | None = None,
    ) -> Pins:
        """Change what the device accepts of a list from now on. New `auditor_keys` are all needed, unless said."""
        return await self._in_thread(
            lambda _stop: self._local.pin(
                lowest_threshold,
                least_synthetic,
                modes,
                auditor_keys,
                auditors_needed,
                trusts_separation=trusts_separation,
            )
        )

    async def checkpoint(self) -> SignedCheckpoint:
        """The state of the server's log that the device accepted last. Raises HomeError if there is none yet."""
        return await asyncio.to_thread(self._local.checkpoint)

    async def verify_absences(self, path: Path, *, progress: Progress = silent) -> int:
        """Check a file of published negatives against the table in use; how many names it has. Raises AuditError."""
        return await asyncio.to_thread(self._local.verify_absences, path, progress=progress)

    async def status(self) -> Status:
        """The device's counts and settings."""
        return await asyncio.to_thread(self._local.status)

    async def _follow_log(self, service: Service, retry: Retry, manifest: Manifest) -> None:
        """Check the server's log against the state that was seen last, and keep what it is now, or the evidence."""
        state, pins = self._local.state, self._local.configuration.pins
        try:
            newest = await retry.persist(lambda: follow(service, pins, state.checkpoint, manifest))
        except ForkError as error:
            path = keep(self._local.home.evidence, error.fork)
            raise ForkError(
                f"{error}. The table is not used. The evidence is in {path}: give it to whoever audits the list "
                f"(`tpsi-audit evidence {path}` checks it)",
                error.fork,
                path,
            ) from None
        state.keep_checkpoint(newest)

    async def _notices(self, service: Service, retry: Retry) -> tuple[Notice, ...]:
        """What the server tells of reveals that it has not told before; kept."""
        state, account = self._local.state, self._local.configuration.account
        known, signed = state.notices, state.checkpoint
        if signed is None:
            return ()
        newest, after = signed.checkpoint, known[-1][0] + 1 if known else 0
        before = Frontier.decode(state.fact(settings.LOG_READ) or Frontier().encode())
        read, stated = await retry.persist(lambda: policy(service, newest, before))
        if stated is not None:
            seconds = stated.notify_after
            state.note(settings.NOTIFY_AFTER, "" if seconds is None else str(seconds))
        state.note(settings.LOG_READ, read.encode())
        found = await retry.persist(lambda: notices(service, newest, account, after))
        state.keep_notices([(one.index, one.notice) for one in found])
        return tuple(one.notice for one in found)

    def _service(self) -> Service:
        return Service(self._local.configuration.endpoint)

    async def _in_thread(self, work: Callable[[Callable[[], bool]], _T]) -> _T:
        """Run `work` in a thread. If the caller is cancelled, `work` is asked to stop, and waited for."""
        stopped = threading.Event()
        running = asyncio.create_task(asyncio.to_thread(work, stopped.is_set))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # what went wrong meanwhile matters to nobody any more
            raise


def _path(home: Path | str | None) -> Path:
    return default_home() if home is None else Path(home)
