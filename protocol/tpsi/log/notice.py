"""Notices: what a server commits to when it reveals, and shows to the account later (specification, section 16.5)."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from tpsi import canonical, members, merkle
from tpsi.canonical import MAX_INTEGER
from tpsi.errors import CallerError, DecodeError, VerificationError
from tpsi.groups import Rng
from tpsi.labels import Label
from tpsi.log.entries import RevealEntry
from tpsi.log.tree import verify_inclusion
from tpsi.manifest import LIST_ID_SIZE
from tpsi.merkle import DIGEST_SIZE
from tpsi.secret import Secret
from tpsi.voucher import VOUCHER_ID_SIZE, encode_account

OPENING_SIZE = 32
#: Octets of an encoded notice.
MAX_NOTICE = 512
#: Notices of one batch: with their proofs they fit into an answer.
MAX_BATCH = 1000


@dataclass(frozen=True)
class Notice:
    """One act of revealing: of which account, in which pool, when (seconds since 1970), and which vouchers.

    `vouchers` counts them, `digest` is `voucher_digest` of their ids.
    """

    account: str
    list_id: bytes
    generation: int
    time: int
    vouchers: int
    digest: bytes

    def __post_init__(self) -> None:
        encode_account(self.account)
        if len(self.list_id) != LIST_ID_SIZE or len(self.digest) != DIGEST_SIZE:
            raise CallerError("a notice has a list id of 16 octets and a digest of 32")
        if not 0 <= self.generation < 2**32 or not 0 <= self.time <= MAX_INTEGER:
            raise CallerError("a notice has a generation of 32 bits and a time")
        if not 1 <= self.vouchers <= MAX_INTEGER:
            raise CallerError("a notice is about one voucher or more")

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(
            {
                "account": self.account,
                "digest": self.digest.hex(),
                "generation": self.generation,
                "list": self.list_id.hex(),
                "time": self.time,
                "vouchers": self.vouchers,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encoded`; DecodeError for anything else."""
        value = canonical.decode(data, "a notice", MAX_NOTICE)
        try:
            notice = cls(
                account=members.text(value["account"]),
                list_id=members.octets(value["list"]),
                generation=members.integer(value["generation"]),
                time=members.integer(value["time"]),
                vouchers=members.integer(value["vouchers"]),
                digest=members.octets(value["digest"]),
            )
        except (KeyError, TypeError, ValueError):
            raise DecodeError("a notice is malformed") from None
        if notice.encoded != data:
            raise DecodeError("a notice is not in canonical form")
        return notice

    def commitment(self, opening: Secret) -> bytes:
        """32 octets that bind to the notice and, without the opening (32 uniform octets), show nothing of it."""
        if len(opening) != OPENING_SIZE:
            raise CallerError("the opening of a commitment has 32 octets")
        return hmac.digest(opening.reveal(), Label.NOTICE + self.encoded, "sha256")


@dataclass(frozen=True)
class Disclosure:
    """What a device is shown: the place of the reveal entry in the log, the opening of a commitment, and the notice.

    `position` is the commitment's place among the `batch_size` ones of that entry, `path` the proof of that.
    """

    index: int
    opening: Secret
    notice: Notice
    position: int = 0
    batch_size: int = 1
    path: tuple[bytes, ...] = ()

    def verify(self, entry: RevealEntry) -> Notice:
        """The notice, if the entry of the log commits to it; else VerificationError.

        The caller has checked that the entry is in the log in the place `index`.
        """
        commitment = self.notice.commitment(self.opening)
        try:
            verify_inclusion(commitment, self.position, self.batch_size, entry.commitment, self.path)
        except VerificationError:
            raise VerificationError(
                "what the server says about a reveal is not what it committed to in its log"
            ) from None
        if self.notice.time != entry.time:
            raise VerificationError("the server dates a reveal otherwise than in its log")
        return self.notice


def draw_opening(rng: Rng = secrets.token_bytes) -> Secret:
    """A fresh opening: one for every commitment, as two under one would show whether their notices are equal."""
    return Secret(rng(OPENING_SIZE))


def batch_root(commitments: Iterable[bytes]) -> bytes:
    """What a reveal entry says of the commitments of a batch (32 octets each), in whatever order they come."""
    return merkle.root(sorted(commitments))


def voucher_digest(voucher_ids: Iterable[bytes]) -> bytes:
    """The digest of a set of voucher ids (16 octets each), in whatever order they come."""
    ordered = sorted(set(voucher_ids))
    if any(len(one) != VOUCHER_ID_SIZE for one in ordered):
        raise CallerError("a voucher id has 16 octets")
    return hashlib.sha256(Label.NOTICE_VOUCHERS + b"".join(ordered)).digest()
