"""Jobs: matching and examining as plain values, to be worked off in this process or another."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tpsi import (
    ItemHash,
    Manifest,
    Opened,
    Pool,
    Secret,
    Submission,
    TableSecrets,
    examine,
    match,
)
from tpsi.pictures import Limits, Picture, PictureError, second_hash
from tpsi_server.errors import KeyFileError, StoreError
from tpsi_server.store import Claim, DamagedError, Location, Match, News, Store, Taken

#: What a derivative begins with: other decoders are not let near what a device sent.
JPEG = b"\xff\xd8\xff"
#: A derivative is far smaller than either; the largest associated data has 131 068 octets.
LIMITS = Limits(max_file_bytes=1 << 17, max_pixels=1 << 20)
#: Manifests that a process keeps decoded: of more epochs vouchers hardly come in at the same time.
_MANIFESTS = 8


@dataclass(frozen=True, slots=True)
class MatchJob:
    """The vouchers of one epoch (row number, account, octets), and what opens those that match."""

    manifest: bytes
    alpha: bytes
    fill_key: bytes
    vouchers: tuple[tuple[int, str, bytes], ...]

    @classmethod
    def of(cls, claim: Claim, manifest: Manifest, table_secrets: TableSecrets) -> "MatchJob":
        """The job of a claim."""
        vouchers = tuple((voucher.id, voucher.account, voucher.payload) for voucher in claim.vouchers)
        return cls(manifest.encoded, table_secrets.alpha.reveal(), table_secrets.fill_key.reveal(), vouchers)

    def run(self) -> list[Match]:
        """What matching makes of each voucher. One that raises fails alone."""
        manifest = _manifest(self.manifest)
        table_secrets = TableSecrets(Secret(self.alpha), Secret(self.fill_key))
        try:
            return _match(manifest, table_secrets, self.vouchers)
        except Exception:
            return [_match_alone(manifest, table_secrets, voucher) for voucher in self.vouchers]

    def __repr__(self) -> str:
        return f"<MatchJob of {len(self.vouchers)} vouchers>"


@dataclass(frozen=True, slots=True)
class ExamineJob:
    """A pool that is due, where its opened vouchers are, and the data keys (by number) that these are sealed under.

    Reading them takes the longer the more there are, and whoever answers devices is not to be kept by that: whoever
    works this off does it, from a connection of its own.
    """

    taken: Taken
    location: Location
    data_keys: Mapping[int, bytes]

    def run(self) -> "Examined | Unread":
        """The examination and the seconds that it took, or why there is none."""
        start = time.monotonic()
        try:
            with Store.open(self.location, self._key) as store:
                due = store.pools.read(self.taken)
        except (StoreError, KeyFileError) as error:
            return Unread(str(error), damaged=isinstance(error, DamagedError))
        found = examine(due.pool, due.opened)
        return Examined.of(News.of(due, found), time.monotonic() - start)

    def _key(self, number: int) -> Secret:
        try:
            return Secret(self.data_keys[number])
        except KeyError:
            raise KeyFileError(f"data key {number} was not there yet when the pool was taken") from None

    def __repr__(self) -> str:
        return f"<ExamineJob of {self.taken!r}>"


@dataclass(frozen=True, slots=True)
class Unread:
    """A pool was not examined: a cell in it is `damaged`, or the database or a key could not be had just now."""

    reason: str
    damaged: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """An examination on its way between processes, and its seconds: a Secret does not travel by itself."""

    without_key: News
    key: bytes | None
    took: float

    @classmethod
    def of(cls, found: News, took: float) -> "Examined":
        """What an examination found, ready to travel."""
        return cls(replace(found, ad_key=None), None if found.ad_key is None else found.ad_key.reveal(), took)

    @property
    def found(self) -> News:
        """What the examination found."""
        return replace(self.without_key, ad_key=None if self.key is None else Secret(self.key))

    def __repr__(self) -> str:
        return f"<Examined {self.without_key.outcome}>"


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Small pictures that were revealed (row number, octets), to be hashed in every type of companion."""

    types: tuple[str, ...]
    pictures: tuple[tuple[int, bytes], ...]

    def run(self) -> "Checked":
        """The second hashes of each picture; None for one that is no JPEG within the limits, or shows too little."""
        return Checked(tuple((number, self._hashes(octets)) for number, octets in self.pictures))

    def _hashes(self, octets: bytes) -> tuple[ItemHash, ...] | None:
        if not octets.startswith(JPEG):
            return None
        picture = Picture.from_bytes(octets, limits=LIMITS)
        try:
            return tuple(second_hash(picture, label) for label in self.types)
        except PictureError:
            return None

    def __repr__(self) -> str:
        return f"<CheckJob of {len(self.pictures)} pictures>"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a CheckJob found, by row numbers."""

    hashes: tuple[tuple[int, tuple[ItemHash, ...] | None], ...]


Job = MatchJob | ExamineJob | CheckJob
Result = list[Match] | Examined | Unread | Checked


@lru_cache(_MANIFESTS)
def _manifest(encoded: bytes) -> Manifest:
    return Manifest.decode(encoded)


def _match(manifest: Manifest, table_secrets: TableSecrets, vouchers: Any) -> list[Match]:
    submissions = [Submission(account, data) for _, account, data in vouchers]
    results = match(manifest, table_secrets, submissions)
    return [
        Match(number) if opened is None else Match(number, opened, _pool(manifest, opened))
        for (number, _, _), opened in zip(vouchers, results, strict=True)
    ]


def _match_alone(manifest: Manifest, table_secrets: TableSecrets, voucher: tuple[int, str, bytes]) -> Match:
    try:
        return _match(manifest, table_secrets, (voucher,))[0]
    except Exception:
        return Match(voucher[0], failed=True)


def _pool(manifest: Manifest, opened: Opened) -> Pool:
    return Pool(manifest.list_id, opened.generation, manifest.sharing)
