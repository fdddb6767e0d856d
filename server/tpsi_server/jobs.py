"""Jobs: matching and examining as plain values, to be worked off in this process or another."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tpsi import Examination, Manifest, Opened, Pool, Secret, Submission, TableSecrets, Voucher, examine, match
from tpsi_server.store import Claim, Due, Match

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
    """The opened vouchers of one pool."""

    pool: Pool
    opened: tuple[Opened, ...]

    @classmethod
    def of(cls, due: Due) -> "ExamineJob":
        """The job of a pool that is due."""
        return cls(due.pool, due.opened)

    def run(self) -> "Examined":
        """The examination and the seconds that it took."""
        start = time.monotonic()
        found = examine(self.pool, self.opened)
        key = None if found.ad_key is None else found.ad_key.reveal()
        return Examined(replace(found, ad_key=None), key, time.monotonic() - start)

    def __repr__(self) -> str:
        return f"<ExamineJob of {len(self.opened)} vouchers>"


@dataclass(frozen=True, slots=True)
class Examined:
    """An examination on its way between processes: a Secret does not travel by itself."""

    without_key: Examination
    key: bytes | None
    took: float

    @property
    def found(self) -> Examination:
        """The examination."""
        return replace(self.without_key, ad_key=None if self.key is None else Secret(self.key))

    def __repr__(self) -> str:
        return f"<Examined {self.without_key.outcome.name}>"


Job = MatchJob | ExamineJob
Result = list[Match] | Examined


@lru_cache(_MANIFESTS)
def _manifest(encoded: bytes) -> Manifest:
    return Manifest.decode(encoded)


def _match(manifest: Manifest, table_secrets: TableSecrets, vouchers: Any) -> list[Match]:
    submissions = [Submission(account, Voucher.decode(data, manifest)) for _, account, data in vouchers]
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
