"""A device without its network: opening its folder, sealing, scanning, exporting, looking at itself."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tpsi import CallerError, Item, TpsiError, picture_threshold
from tpsi.account import draw_generation
from tpsi.audit import verify_absences
from tpsi.audit.published import MAX_FILE as MAX_PUBLISHED
from tpsi.audit.published import PublishedAbsences
from tpsi.log import SignedCheckpoint
from tpsi.parameters import CountBy, SyntheticMode
from tpsi.pictures import HASHERS
from tpsi.trust import Pins
from tpsi.voucher import Header
from tpsi_client.account_secret import AccountSecret
from tpsi_client.configuration import Configuration
from tpsi_client.container import read_vouchers, write_vouchers
from tpsi_client.errors import HomeError
from tpsi_client.examining import aspects_of
from tpsi_client.fetching import Progress
from tpsi_client.files import disk, read_bounded, whole_file
from tpsi_client.home import Home, HomeLock
from tpsi_client.originals import Originals, check_allowed
from tpsi_client.scanning import Scanner, ScanReport
from tpsi_client.sealer import Sealer, sealing_types
from tpsi_client.state import State, settings
from tpsi_client.status import Status
from tpsi_client.tables import TableFolder

_T = TypeVar("_T")
#: Vouchers that an export or a confirmation holds in memory at a time.
_STEP = 256


def silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class LocalDevice:
    """The synchronous half of a device. Safe to call from several threads; they wait for each other."""

    def __init__(self, home: Home, lock: HomeLock | None, configuration: Configuration, state: State) -> None:
        self.home, self.configuration, self.state = home, configuration, state
        self._lock = lock
        self._busy = threading.RLock()
        self._sealer: Sealer | None = None

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> "LocalDevice":
        """Open an enrolled device, alone unless `read_only`.

        Raises NotEnrolledError, LockedError, HomeError for missing, damaged or foreign files, DiskError.
        """
        home = Home(path)
        home.require_enrolled()
        lock = None if read_only else HomeLock(home)
        try:
            configuration = Configuration.load(home)
            secret = AccountSecret.load(home)
            check_list(secret, configuration)
            state = State.open(home.outbox, configuration.identity, secret.check, read_only=read_only)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return cls(home, lock, configuration, state)

    def close(self) -> None:
        """Let go of the folder."""
        self.state.close()
        self._sealer = None
        if self._lock is not None:
            self._lock.release()

    def require_writable(self) -> None:
        """Raise CallerError if the device was opened for reading."""
        if self._lock is None:
            raise CallerError("this device was opened read-only")

    def seal(self, items: Sequence[Item]) -> list[bytes]:
        """Vouchers for a transport of the caller's own; their memory is stored before they are returned."""
        with self._busy:
            return [voucher.data for voucher in self.sealer().seal(items, queue=False).vouchers]

    def queue(self, items: Sequence[Item]) -> int:
        """Vouchers into the outbox, with their memory in one transaction; how many."""
        with self._busy:
            return len(self.sealer().seal(items, queue=True).vouchers)

    def scan(
        self,
        where: Path | Sequence[Path],
        *,
        types: Sequence[str] = (),
        mirrored: bool = False,
        videos: bool = False,
        originals: Path | None = None,
        progress: Progress = silent,
        stop: Callable[[], bool] = lambda: False,
    ) -> ScanReport:
        """Seal and queue the pictures of a folder, or these files.

        If `mirrored`, their mirror images too; if `videos`, a folder's videos as well.
        """
        with self._busy:
            sealer = self.sealer()
            chosen = sealing_types(sealer.manifest, HASHERS, types)
            aspects = aspects_of(chosen, mirrored=mirrored)
            if mirrored and sealer.manifest.sharing.count_by is CountBy.ITEM:
                raise CallerError("this list counts items, so that a picture has one voucher and its mirror image none")
            kept = None
            if originals is not None:
                check_allowed(sealer.manifest, chosen)
                kept = Originals(originals)
            size_class = self.configuration.size_class
            scanner = Scanner(sealer, self.state, aspects, size_class, originals=kept, progress=progress, stop=stop)
            return scanner.folder(where, videos=videos) if isinstance(where, Path) else scanner.files(where)

    def export(self, path: Path, *, again: bool = False) -> int:
        """Write queued vouchers into a new file, those of earlier exports only if `again`; how many.

        They stay queued, until `delivered` or an upload. No file is made if there is nothing to write.
        """
        self.require_writable()
        with self._busy:
            exported: list[bytes] = []
            vouchers = self._queued(fresh_only=not again, ids=exported)
            first = next(vouchers, None)
            if first is None:
                return 0
            with whole_file(path, replace=False) as stream:
                count = write_vouchers(stream, _chain(first, vouchers))
            self.state.outbox.mark_exported(exported)
            return count

    def delivered(self, path: Path) -> int:
        """Take the vouchers of an exported file for acknowledged, as it has arrived; how many the file holds."""
        self.require_writable()
        with self._busy, disk(path, "read"), path.open("rb") as stream:
            ids = [Header.decode(voucher).voucher_id for voucher in read_vouchers(stream)]
            self.state.outbox.settle(ids, {})
            return len(ids)

    def rescan(self) -> None:
        """Begin another generation, in which everything is sealed afresh."""
        self.require_writable()
        with self._busy:
            before = generation = self.state.generation
            while generation == before:
                generation = draw_generation()
            self._sealer = None
            self.state.outbox.begin_generation(generation)

    def pin(
        self,
        lowest_threshold: int | None,
        least_synthetic: int | None,
        modes: tuple[SyntheticMode, ...] | None,
        auditor_keys: tuple[bytes, ...] | None = None,
        auditors_needed: int | None = None,
        *,
        trusts_separation: bool | None = None,
    ) -> Pins:
        """Change what the device accepts of a list from now on."""
        self.require_writable()
        pins = self.configuration.pins
        if lowest_threshold is not None:
            pins = replace(pins, lowest_threshold=lowest_threshold)
        if least_synthetic is not None:
            pins = replace(pins, least_synthetic=least_synthetic)
        if modes is not None:
            pins = replace(pins, modes=modes)
        if auditor_keys is not None:
            pins = replace(pins, auditor_keys=auditor_keys, auditors_needed=auditors_needed)
        elif auditors_needed is not None:
            pins = replace(pins, auditors_needed=auditors_needed)
        if trusts_separation is not None:
            pins = replace(pins, trusts_separation=trusts_separation)
        self.configuration = replace(self.configuration, pins=pins)
        self.configuration.save(self.home)
        return pins

    def checkpoint(self) -> SignedCheckpoint:
        """The state of the server's log that the device accepted last. Raises HomeError if there is none yet."""
        signed = self.state.checkpoint
        if signed is None:
            raise HomeError("this device has not seen the server's log yet; run: tpsi-device fetch")
        return signed

    def verify_absences(self, path: Path, *, progress: Progress = silent) -> int:
        """Check a file of published negatives against the table in use; how many names it has.

        Raises AuditError if a name is in the table or the proof does not hold, DecodeError, HomeError.
        """
        digest = self.state.chain.in_use()
        if digest is None:
            raise HomeError("the list's table has not been fetched yet; run: tpsi-device fetch")
        folder = TableFolder.load(self.home, digest)
        data = read_bounded(path, MAX_PUBLISHED, "file of published negatives")
        published = PublishedAbsences.decode(data, folder.manifest)
        cells = folder.cells()
        verify_absences(folder.manifest, cells, published.names, published.proof, progress=progress)
        return len(published.names)

    def status(self) -> Status:
        """All counts and settings; works while another process uses the device."""
        state, configuration = self.state, self.configuration
        seen, digest, counts = state.chain.newest(), state.chain.in_use(), state.outbox.counts()
        folder = None
        if digest is not None:
            with suppress(TpsiError):
                folder = TableFolder.load(self.home, digest)
        manifest = folder.manifest if folder else None
        return Status(
            account=configuration.account,
            server=configuration.endpoint.address,
            list_name=configuration.list_name,
            list_id=configuration.pins.list_id.hex(),
            home=str(self.home.path),
            epoch_seen=seen.epoch if seen else None,
            epoch=manifest.epoch if manifest else None,
            items=manifest.items if manifest else None,
            hash_types=tuple(label for label in manifest.types if label in HASHERS) if manifest else None,
            threshold=manifest.sharing.threshold if manifest else None,
            picture_threshold=picture_threshold(manifest) if manifest else None,
            synthetic_mode=manifest.synthetic.mode.value if manifest else None,
            synthetic_per_million=manifest.synthetic.per_million if manifest else None,
            table_bytes=manifest.table_bytes if manifest else None,
            table_complete=folder is not None and folder.complete,
            lowest_threshold=configuration.pins.lowest_threshold,
            least_synthetic=configuration.pins.least_synthetic,
            notices=tuple((notice.time, notice.vouchers) for _, notice in state.notices),
            notify_after=_number(state.fact(settings.NOTIFY_AFTER) or None),
            log_entries=state.checkpoint.checkpoint.size if state.checkpoint else None,
            evidence=tuple(str(path) for path in sorted(self.home.evidence.glob("*.json"))),
            modes=tuple(mode.value for mode in configuration.pins.modes),
            auditors=tuple(key.hex() for key in configuration.pins.auditor_keys),
            auditors_needed=configuration.pins.auditor_quorum,
            size_class=configuration.size_class,
            rescans=int(state.fact(settings.RESCANS) or 0),
            sealed=int(state.fact(settings.SEALED) or 0),
            remembered=state.memory.size(),
            queued=counts.queued,
            queued_octets=counts.queued_octets,
            exported=counts.exported,
            acknowledged=counts.acknowledged,
            refused=counts.refused,
            replaced=counts.replaced,
            bad_candidates=int(state.fact(settings.BAD_CANDIDATES) or 0),
            last_fetch=_number(state.fact(settings.LAST_FETCH)),
            last_upload=_number(state.fact(settings.LAST_UPLOAD)),
        )

    def sealer(self) -> Sealer:
        """What seals under the table in use, opened at first need. Raises HomeError if there is no whole table."""
        self.require_writable()
        with self._busy:
            if self._sealer is None:
                digest = self.state.chain.in_use()
                if digest is None:
                    raise HomeError("the list's table has not been fetched yet; run: tpsi-device fetch")
                folder = TableFolder.load(self.home, digest)
                self._sealer = Sealer(
                    folder.manifest,
                    folder.open(),
                    account_secret=AccountSecret.load(self.home).secret,
                    account=self.configuration.account,
                    generation=self.state.generation,
                    size_class=self.configuration.size_class,
                    state=self.state,
                )
            return self._sealer

    def forget_table(self) -> None:
        """Open the table anew at the next sealing, as another one is in use."""
        with self._busy:
            self._sealer = None

    def _queued(self, *, fresh_only: bool, ids: list[bytes]) -> Iterator[bytes]:
        after = b""
        while block := self.state.outbox.queued(after, _STEP, fresh_only=fresh_only):
            for queued in block:
                ids.append(queued.voucher_id)
                yield queued.data
            after = block[-1].voucher_id


def check_list(secret: AccountSecret, configuration: Configuration) -> None:
    """Raise HomeError if an account secret was made for another list."""
    if secret.list_id != configuration.pins.list_id:
        raise HomeError("this account secret was made for another list; every list has one of its own")


def _chain(first: _T, rest: Iterable[_T]) -> Iterator[_T]:
    yield first
    yield from rest


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
