"""Sealing with a memory: vouchers for items, and what the device must remember of them, in one step."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tpsi import (
    AccountKeys,
    CallerError,
    CountBy,
    Item,
    Kind,
    Manifest,
    Pool,
    SealedBatch,
    SealedVoucher,
    Secret,
    derive,
    seal,
)
from tpsi import Device as SealingDevice
from tpsi.account import identifier_subject, memory_tag
from tpsi_client.state import FileMark, NewVoucher, Sealing, State
from tpsi_client.tables import MappedTable

_log = logging.getLogger(__name__)

#: Domains of the device's own keyed digests, which never leave it.
_PATH, _CONTENT = b"tpsi-device-path", b"tpsi-device-file"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One batch: its vouchers, and for how many items the device had sealed the same hash before."""

    vouchers: Sequence[SealedVoucher]
    repeated: int


class Sealer:
    """Seals under one manifest and one generation. Calls from several threads wait for each other."""

    def __init__(
        self,
        manifest: Manifest,
        table: MappedTable,
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
        self._device = SealingDevice(manifest, table.blinded, self._keys, account)
        self._table, self._size_class, self._state = table, size_class, state
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
        first: Callable[[Sealed], None] | None = None,
    ) -> Sealed:
        """Seal items, and store the memory of them and, if `queue`, the vouchers, in one transaction.

        When this returns, all of that is durable; when it raises, nothing happened. `first` is called with
        what is about to be stored; if it raises, nothing is.
        """
        with self._lock:
            sealed, tags, bad = self._seal(items)
            if first is not None:
                first(sealed)
            self._state.outbox.store(
                Sealing(
                    epoch=self.manifest.epoch,
                    generation=self.generation,
                    vouchers=[NewVoucher(v.voucher_id, v.data) for v in sealed.vouchers] if queue else (),
                    sealed=len(sealed.vouchers),
                    tags=tags,
                    files=files or {},
                    bad_candidates=bad,
                )
            )
        if bad:
            _log.warning(
                "%d lookups gave what no sound table gives; vouchers made from them match nothing. "
                "The server is not told; ask whoever audits the list.",
                bad,
            )
        return sealed

    def _seal(self, items: Sequence[Item]) -> tuple[Sealed, set[bytes], int]:
        probe_tags = [[memory_tag(self._keys, probe.encode()) for probe in item.probes] for item in items]
        subjects = [self._subject_tag(item) for item in items]
        tags = {tag for mine in probe_tags for tag in mine} | {tag for tag in subjects if tag}
        known = self._state.memory.known(list(tags))
        repeats = _repeats(subjects, known)
        fresh = [item for item, repeat in zip(items, repeats, strict=True) if not repeat]
        again = [item for item, repeat in zip(items, repeats, strict=True) if repeat]
        first = self._call(fresh, known.__contains__)
        second = self._call(again, lambda _tag: True)
        self._table.relax()
        places = [index for index, repeat in enumerate(repeats) if not repeat]
        places_again = [index for index, repeat in enumerate(repeats) if repeat]
        vouchers = [
            *(_placed(voucher, places) for voucher in first.vouchers),
            *(_placed(voucher, places_again) for voucher in second.vouchers),
        ]
        # Ids are uniform, so this is a uniformly random order: an item's real and its synthetic voucher (mode
        # add) must not stand side by side, whatever carries them to the server (7.5).
        vouchers.sort(key=lambda voucher: voucher.voucher_id)
        repeated = sum(voucher.kind is Kind.NULL for voucher in vouchers)
        return Sealed(vouchers, repeated), tags, first.bad_candidates + second.bad_candidates

    def _call(self, items: Sequence[Item], known: Callable[[bytes], bool]) -> SealedBatch:
        if not items:
            return SealedBatch((), (), 0)
        return seal(self._device, items, known=known, size_class=self._size_class)

    def _subject_tag(self, item: Item) -> bytes | None:
        """If items are counted: the tag of the identifier, which gives the share's coordinate then.

        A second voucher with it, for another hash of the same item, would repeat the coordinate if both match;
        a coordinate that stays alone would then be known to be real.
        """
        if self.manifest.sharing.count_by is CountBy.HASH:
            return None
        return memory_tag(self._keys, identifier_subject(item.identifier))

    def _tag(self, person: bytes, data: bytes) -> bytes:
        key = self._keys.memory_key.reveal()
        return hashlib.blake2b(data, digest_size=16, key=key, person=person).digest()


def _repeats(subjects: Sequence[bytes | None], known: set[bytes]) -> list[bool]:
    """Which items have an identifier that was sealed before, or stands earlier in the batch."""
    seen = set(known)
    repeats: list[bool] = []
    for subject in subjects:
        repeats.append(subject is not None and subject in seen)
        if subject is not None:
            seen.add(subject)
    return repeats


def _placed(voucher: SealedVoucher, places: Sequence[int]) -> SealedVoucher:
    """The voucher with its item's place in the caller's batch."""
    return SealedVoucher(places[voucher.item], voucher.kind, voucher.voucher_id, voucher.data)


def sealing_types(manifest: Manifest, computable: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
    """The hash types to seal pictures under: those asked for, or all of the list that this device can compute.

    If items are counted, one only: a picture has one voucher there. Raises CallerError for types that are not on the
    list, can't be computed, or are too many.
    """
    usable = tuple(label for label in manifest.types if label in set(computable))
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
_PREFERENCE = ("pdq", "phash", "sha256", "sha512", "sha1", "md5")
