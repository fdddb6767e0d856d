"""Sealing with a memory: vouchers for items, and what the device must remember of them, in one step."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from tpsi import (
    AccountKeys,
    CallerError,
    CountBy,
    Item,
    Manifest,
    Pool,
    SealedBatch,
    SealedVoucher,
    Secret,
    derive,
    seal,
)
from tpsi import Device as SealingDevice
from tpsi.planning import memory_tags
from tpsi_client.state import FileMark, NewVoucher, Sealing, State
from tpsi_client.tables import TableFile

_log = logging.getLogger(__name__)

#: Items sealed together: more would be no quicker, and each takes some memory until its voucher is there.
SLICE = 256

#: Domains of the device's own keyed digests, which never leave it.
_PATH, _CONTENT = b"tpsi-device-path", b"tpsi-device-file"


class Sealer:
    """Seals under one manifest and one generation. Calls from several threads wait for each other."""

    def __init__(
        self,
        manifest: Manifest,
        table: TableFile,
        *,
        account_secret: Secret,
        account: str,
        generation: int,
        size_class: int,
        state: State,
    ) -> None:
        pool = Pool(manifest.list_id, generation, manifest.sharing)
        self.manifest, self.generation = manifest, generation
        self._keys: AccountKeys = derive(account_secret, pool)
        self._device = SealingDevice(manifest, table, self._keys, account)
        self._size_class, self._state = size_class, state
        self._lock = threading.Lock()

    def path_tag(self, label: str, path: bytes) -> bytes:
        """Names a file and a hash type in the device's memory, without keeping the name."""
        if self.manifest.sharing.count_by is CountBy.ITEM:
            label = ""  # a picture has one voucher there, of whatever type
        return self._tag(_PATH, bytes((len(label),)) + label.encode("ascii") + path)

    def content_tag(self, sha256: bytes) -> bytes:
        """Names a file's content in the device's memory, without keeping its hash."""
        return self._tag(_CONTENT, sha256)

    def seal(
        self,
        items: Sequence[Item],
        *,
        queue: bool,
        files: Mapping[bytes, FileMark] | None = None,
        first: Callable[[SealedBatch], None] | None = None,
    ) -> SealedBatch:
        """Seal items, and store the memory of them and, if `queue`, the vouchers, in one transaction.

        When this returns, all of that is durable; when it raises, nothing happened. `first` is called with
        what is about to be stored; if it raises, nothing is.
        """
        with self._lock:
            batch = self._seal(items)
            if first is not None:
                first(batch)
            self._state.outbox.store(
                Sealing(
                    epoch=self.manifest.epoch,
                    generation=self.generation,
                    vouchers=[NewVoucher(v.voucher_id, v.data) for v in batch.vouchers] if queue else (),
                    sealed=len(batch.vouchers),
                    tags={tag for tags in batch.tags for tag in tags},
                    files=files or {},
                    bad_candidates=batch.bad_candidates,
                )
            )
        if batch.bad_candidates:
            _log.warning(
                "%d lookups gave what no sound table gives; vouchers made from them match nothing. "
                "The server is not told; ask whoever audits the list.",
                batch.bad_candidates,
            )
        return batch

    def _seal(self, items: Sequence[Item]) -> SealedBatch:
        """Seal in slices, and put all vouchers in random order."""
        tags = [tag for mine in memory_tags(self._keys, items) for tag in mine]
        known = self._state.memory.known(tags)
        vouchers: list[SealedVoucher] = []
        remembered: list[tuple[bytes, ...]] = []
        bad = 0
        for start in range(0, len(items), SLICE):
            batch = seal(
                self._device, items[start : start + SLICE], known=known.__contains__, size_class=self._size_class
            )
            known.update(tag for mine in batch.tags for tag in mine)
            remembered += batch.tags
            vouchers += [voucher._replace(item=start + voucher.item) for voucher in batch.vouchers]
            bad += batch.bad_candidates
        # Ids are uniform, so their order is a uniformly random one: in mode add an item's two vouchers must not
        # stand side by side, whatever carries them to the server (7.5).
        vouchers.sort(key=lambda voucher: voucher.voucher_id)
        return SealedBatch(tuple(vouchers), tuple(remembered), bad)

    def _tag(self, person: bytes, data: bytes) -> bytes:
        key = self._keys.memory_key.reveal()
        return hashlib.blake2b(data, digest_size=16, key=key, person=person).digest()


def sealing_types(manifest: Manifest, computable: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
    """The hash types to seal pictures under: those asked for, or all of the list that this device can compute.

    If items are counted, one only: a picture has one voucher there. Raises CallerError for types that are not on the
    list, can't be computed, or are too many.
    """
    usable = tuple(label for label in manifest.types if label in set(computable))
    if not usable:
        raise CallerError("the list holds no hashes of a type that this device can compute")
    for label in asked:
        if label not in usable:
            offered = ", ".join(usable) or "none"
            raise CallerError(
                f"no {label!r} hashes can be sealed for this list; this device and the list share {offered}"
            )
    if manifest.sharing.count_by is CountBy.HASH:
        return tuple(dict.fromkeys(asked)) or usable
    if len(set(asked)) > 1:
        raise CallerError("this list counts items, so that a picture has one voucher; name one hash type")
    rank = {label: place for place, label in enumerate(_PREFERENCE)}
    preferred = sorted(usable, key=lambda label: rank.get(label, len(rank)))
    return tuple(asked[:1]) or tuple(preferred[:1])


#: Perceptual types find re-encoded copies, too.
_PREFERENCE = ("dct80", "dct100", "dct128", "dct64", "pdq", "phash", "sha256", "sha512", "sha1", "md5")
