"""Building an epoch: from the lists in the store to a signed, chained table, or to nothing at all."""

import hashlib
import json
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tpsi import (
    SUITES,
    BuiltTable,
    Canary,
    ItemHash,
    Manifest,
    Probes,
    Rng,
    Role,
    Secret,
    Sharing,
    SignedManifest,
    Source,
    Synthetic,
    build_table,
    group,
    merkle,
    sign_manifest,
)
from tpsi.audit import blinded_digest
from tpsi.canary import CANARY_HASHES, CANARY_NAME, canary_picture
from tpsi.manifest import SignedList
from tpsi.table import PackedItems, Progress
from tpsi.table.geometry import SEED_SIZE, FuseGeometry
from tpsi_server.blinding import WORTHWHILE, ParallelBlinding, processors
from tpsi_server.config import DataFolder, ServerIdentity
from tpsi_server.errors import OperatorError
from tpsi_server.files import locked, sync_folder
from tpsi_server.keys import KeyRing
from tpsi_server.lists import MergedList, merge
from tpsi_server.screening import Screening, screen
from tpsi_server.store import EpochRecord, Store
from tpsi_server.tables import (
    LEAVES_FILE,
    MANIFEST_FILE,
    SCREENING_FILE,
    TABLE_FILE,
    epoch_folder,
    load_epoch,
    load_manifest,
)

#: The source that the canary's hashes come from; no list can be imported under this name.
CANARY_SOURCE = "canary"
#: What a new server asks for, until its first epoch says otherwise.
DEFAULT_THRESHOLD = 30

_UNFINISHED = ".unfinished-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What an operator chooses of an epoch. `name` None is the name that the list has.

    Whether the list is separated for that many probes is not a choice: it is made so. `innocent`: a folder of pictures
    that the list must not match.
    """

    sharing: Sharing = field(default_factory=lambda: Sharing(DEFAULT_THRESHOLD))
    synthetic: Synthetic = field(default_factory=Synthetic)
    probes: Probes = field(default_factory=Probes)
    encoding: str = FuseGeometry.encoding
    suite: str = SUITES[0]
    minimum_sources: int = 1
    name: str | None = None
    innocent: Path | None = None

    @classmethod
    def like(cls, manifest: Manifest) -> "BuildOptions":
        """The options that an earlier epoch was built with: the defaults for the next."""
        return cls(
            manifest.sharing,
            manifest.synthetic,
            manifest.probes,
            manifest.encoding,
            manifest.suite,
            manifest.minimum_sources,
            manifest.name,
        )


class Builder:
    """Builds epochs, one after the other. `progress` is told how far each stage has come."""

    def __init__(
        self,
        folder: DataFolder,
        store: Store,
        keys: KeyRing,
        *,
        progress: Progress = lambda _stage, _done, _total: None,
        processes: int | None = None,
        clock: Callable[[], float] = time.time,
        rng: Rng = secrets.token_bytes,
    ) -> None:
        self._folder = folder
        self._identity: ServerIdentity = folder.identity()
        self._store = store
        self._keys = keys
        self._progress = progress
        self._processes = processes or processors()
        self._clock = clock
        self._rng = rng
        #: What the last build left out.
        self.screening = Screening(0, 0, 0)

    def build(self, options: BuildOptions) -> Manifest:
        """Build the next epoch and put it in force.

        All of it appears at once; an interrupted build leaves nothing behind.
        Raises OperatorError if there is nothing to build from or another build is running, KeyFileError if the
        signing key does not open, CallerError for impossible options, BuildError.
        """
        with self._alone():
            signing_key = self._keys.signing_key()  # a wrong passphrase is found now, not at the end
            self._recover()
            merged, sources = self._merge(options.minimum_sources)
            canary = _canary(merged)
            if canary is not None:
                sources.append(Source(CANARY_SOURCE, len(canary.hashes)))
            always = canary.hashes if canary is not None else ()
            per_item = options.probes.per_item
            items, self.screening = screen(merged, always, per_item, options.innocent, self._progress)
            del merged  # a long list is in memory once
            options = replace(options, probes=Probes(per_item, per_item > 1))
            draft = self._draft(options, items, sources, canary)
            built = self._table(draft, items)
            with self._unfinished() as place:
                leaves = self._write(place, built)
                manifest = replace(
                    draft,
                    key=built.secrets.public_key(draft.group),
                    sources=self._with_signatures(draft.sources, built.secrets.fill_key),
                    seed=built.table.seed,
                    root=merkle.root(leaves),
                    created=int(self._clock()),
                )
                signature = sign_manifest(manifest, Role.SERVER, signing_key)
                _write_durably(place / SCREENING_FILE, json.dumps(self.screening.to_dict(), indent=1).encode())
                _write_durably(place / MANIFEST_FILE, SignedManifest(manifest, (signature,)).encode())
                self._put_in_force(place, manifest, built)
        return manifest

    def _put_in_force(self, place: Path, manifest: Manifest, built: BuiltTable) -> None:
        key_file = self._keys.save_epoch(manifest, built.secrets)
        target = epoch_folder(self._folder, manifest.epoch)
        try:
            sync_folder(place)
            place.rename(target)
            sync_folder(target.parent)
            self._store.epochs.add(manifest.epoch, manifest.digest, self._clock())
        except BaseException:
            if manifest.epoch not in self._in_force():
                if target.exists():
                    target.rename(place)
                key_file.unlink()
            raise

    def _in_force(self) -> list[int]:
        return [record.number for record in self._store.epochs.all()]

    def _recover(self) -> None:
        """Finish or clear away what a killed build has left: the renaming of its folder made it count."""
        for path in self._folder.tables.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(path)
        number = max(self._in_force(), default=0) + 1
        found = epoch_folder(self._folder, number)
        if found.exists():
            manifest = load_manifest(self._folder, number)
            load_epoch(self._folder, self._identity, EpochRecord(number, manifest.digest, 0.0, None))
            self._keys.epoch(manifest)
            self._store.epochs.add(number, manifest.digest, self._clock())
            _log.warning("epoch %d was complete but not in force: it is now", number)

    def _merge(self, minimum_sources: int) -> tuple[MergedList, list[Source]]:
        names = [source.name for source in self._store.lists.sources()]
        if not names:
            raise OperatorError("no hash list was imported yet: run `tpsi-server list import FILE --source NAME`")
        counts = dict.fromkeys(names, 0)
        total = sum(source.items for source in self._store.lists.sources())

        def counted(name: str, items: Iterator[ItemHash]) -> Iterator[ItemHash]:
            for item in items:
                counts[name] += 1
                if counts[name] % 4096 == 0:
                    self._progress("merging", sum(counts.values()), total)
                yield item

        with self._store.lists.all_items(names) as lists:
            merged = merge({name: counted(name, items) for name, items in lists.items()}, minimum_sources)
        if not len(merged):
            raise OperatorError(
                f"no hash is named by {minimum_sources} of the {len(names)} sources: there is nothing to build from"
            )
        return merged, [Source(name, counts[name]) for name in names]

    def _with_signatures(self, sources: Sequence[Source], fill_key: Secret) -> tuple[Source, ...]:
        """The sources, with what the manifest says of those that signed their lists."""
        signed = {
            name: SignedList(signature.key, blinded_digest(fill_key, name, digest))
            for name, (signature, digest) in self._store.lists.signatures().items()
        }
        return tuple(replace(source, signed=signed.get(source.name)) for source in sources)

    def _draft(
        self,
        options: BuildOptions,
        items: PackedItems,
        sources: list[Source],
        canary: Canary | None,
    ) -> Manifest:
        """The manifest with everything that is known before the table is: impossible options are found here."""
        records = self._store.epochs.all()
        previous = None
        if records:
            previous = load_manifest(self._folder, records[-1].number)
        return Manifest(
            list_id=self._identity.list_id,
            name=options.name or self._identity.name,
            epoch=previous.epoch + 1 if previous else 1,
            previous=previous.digest if previous else None,
            created=0,
            suite=options.suite,
            key=bytes(group(options.suite).element_size),
            encoding=options.encoding,
            items=len(items),
            seed=bytes(SEED_SIZE),
            root=bytes(merkle.DIGEST_SIZE),
            types=items.types,
            sources=tuple(sorted(sources, key=lambda source: source.name)),
            minimum_sources=options.minimum_sources,
            sharing=options.sharing,
            synthetic=options.synthetic,
            probes=options.probes,
            canary=canary,
        )

    def _table(self, draft: Manifest, items: PackedItems) -> BuiltTable:
        parallel = self._processes > 1 and draft.items >= WORTHWHILE
        blind = ParallelBlinding(draft.group, self._processes, self._progress) if parallel else None
        return build_table(draft.group, draft.encoding, items, rng=self._rng, progress=self._progress, blind=blind)

    def _write(self, place: Path, built: BuiltTable) -> list[bytes]:
        """Write the table and the leaves of its digest tree; returns the leaves."""
        cells = np.ascontiguousarray(built.table.cells).reshape(-1).data
        pieces = [cells[start : start + merkle.CHUNK_SIZE] for start in range(0, len(cells), merkle.CHUNK_SIZE)]
        leaves = [merkle.leaf_digest(bytes(piece)) for piece in pieces]
        _write_durably(place / TABLE_FILE, cells)
        _write_durably(place / LEAVES_FILE, b"".join(leaves))
        return leaves

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        """A folder for the files of an epoch, beside its final place; gone afterwards, unless it was renamed."""
        place = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder.tables))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one build at a time, here and on other replicas; the locks end with the process, however that ends."""
        with (
            locked(self._folder.tables / ".lock", "another build is running here"),
            self._store.alone("build") as alone,
        ):
            if not alone:
                raise OperatorError("another build is running on another replica: wait for its end")
            yield


def _canary(merged: MergedList) -> Canary | None:
    """The canary with its hashes of the list's types.

    It is in every list that has a type for it, whatever number of sources the rule demands.
    """
    types = merged.encodings.types
    hashes = [ItemHash(kind, bytes.fromhex(digits)) for kind, digits in CANARY_HASHES.items() if kind in types]
    if not hashes:
        return None
    return Canary(CANARY_NAME, hashlib.sha256(canary_picture()).digest(), tuple(sorted(hashes)))


def _write_durably(path: Path, data: bytes | memoryview) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
