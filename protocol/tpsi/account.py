"""An account's keys, and the shares, decisions and memory tags that follow from them (specification, section 6)."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tpsi import field
from tpsi.bulk import DRAWN_SIZE, hash_many, shares_at
from tpsi.errors import CallerError
from tpsi.groups import Rng, Rows, Strings
from tpsi.groups.rows import split_rows
from tpsi.labels import Label
from tpsi.manifest import LIST_ID_SIZE
from tpsi.parameters import CountBy, Sharing
from tpsi.secret import Secret
from tpsi.symmetric import KEY_SIZE, expand, kdf

ACCOUNT_SECRET_SIZE = 32
MAX_GENERATION = 2**32 - 1
MAX_IDENTIFIER = 64
TAG_SIZE = 16


@dataclass(frozen=True, slots=True)
class Pool:
    """Names the vouchers of one account whose shares belong together: those of one device, until it rescans."""

    list_id: bytes
    generation: int
    sharing: Sharing

    def __post_init__(self) -> None:
        if len(self.list_id) != LIST_ID_SIZE or not 0 <= self.generation <= MAX_GENERATION:
            raise CallerError("a list id has 16 octets, a generation is below 2^32")

    @property
    def info(self) -> bytes:
        """`u32(g) ‖ u32(t) ‖ u16(u) ‖ u8(c)`."""
        count_by = 0 if self.sharing.count_by is CountBy.HASH else 1
        return (
            self.generation.to_bytes(4, "big")
            + self.sharing.threshold.to_bytes(4, "big")
            + self.sharing.rows.to_bytes(2, "big")
            + bytes((count_by,))
        )


@dataclass(frozen=True, slots=True, eq=False)
class AccountKeys:
    """All that a device derives from its account secret for one pool. Coefficients are (u, t + 1), constant first."""

    pool: Pool
    coefficients: field.Elements
    coordinate_key: Secret
    synthetic_key: Secret
    memory_key: Secret
    ad_key: Secret

    def __repr__(self) -> str:
        return f"<AccountKeys of generation {self.pool.generation}>"


def derive(account_secret: Secret, pool: Pool) -> AccountKeys:
    """The keys of an account in a pool: 6.1, 6.2 and the ad key of 7.2."""
    if len(account_secret) != ACCOUNT_SECRET_SIZE:
        raise CallerError(f"an account secret has {ACCOUNT_SECRET_SIZE} octets")
    secret = account_secret.reveal()
    keys = kdf(Label.ACCOUNT, secret, pool.list_id, pool.info, 3 * KEY_SIZE)
    polynomial_key, coordinate_key, synthetic_key = (keys[i : i + KEY_SIZE] for i in (0, 32, 64))
    memory_key = kdf(Label.MEMORY_KEY, secret, pool.list_id, pool.generation.to_bytes(4, "big"), KEY_SIZE)
    coefficients = np.array(
        [_polynomial(polynomial_key, row, pool.sharing.threshold) for row in range(pool.sharing.rows)],
        np.uint64,
    )
    shared_secret = Secret(field.encode(coefficients[:, 0]))
    return AccountKeys(
        pool,
        coefficients,
        Secret(coordinate_key),
        Secret(synthetic_key),
        Secret(memory_key),
        ad_key(shared_secret, pool),
    )


def ad_key(shared_secret: Secret, pool: Pool) -> Secret:
    """k_ad from the constant terms p_0(0) ‖ … ‖ p_{u−1}(0): what device and, after a reveal, server derive."""
    return Secret(kdf(Label.AD_KEY, shared_secret.reveal(), pool.list_id, pool.info, KEY_SIZE))


def identifier_subject(identifier: bytes) -> bytes:
    """The subject of an item if items are counted; CallerError unless the identifier has 1 to 64 octets."""
    if not 1 <= len(identifier) <= MAX_IDENTIFIER:
        raise CallerError(f"an item's identifier has 1 to {MAX_IDENTIFIER} octets, not {len(identifier)}")
    return bytes((len(identifier),)) + identifier


def share_rows(keys: AccountKeys, subjects: Strings) -> Rows:
    """(n, share size): the encoded real share of every subject (6.3)."""
    by_hash = keys.pool.sharing.count_by is CountBy.HASH
    label = Label.COORDINATE_OF_HASH if by_hash else Label.COORDINATE_OF_ITEM
    drawn = hash_many(DRAWN_SIZE, keys.coordinate_key.reveal(), label, subjects)
    return shares_at(keys.coefficients, drawn)


def shares(keys: AccountKeys, subjects: Strings) -> list[bytes]:
    """The same, one by one."""
    return split_rows(share_rows(keys, subjects))


def are_chosen(keys: AccountKeys, subjects: Strings, per_million: int) -> list[bool]:
    """Whether the items with these decision subjects get a synthetic voucher (6.4)."""
    if not per_million:
        return [False] * len(subjects)
    drawn = hash_many(8, keys.synthetic_key.reveal(), Label.SYNTHETIC_DECISION, subjects).view(">u8")
    return [value * 10**6 >> 64 < per_million for value in drawn.ravel().tolist()]


def is_chosen(keys: AccountKeys, subject: bytes, per_million: int) -> bool:
    """The same for one item."""
    return are_chosen(keys, [subject], per_million)[0]


def synthetic_share(keys: AccountKeys, subject: bytes) -> bytes:
    """The encoded synthetic share of a decision subject (6.4)."""
    stream = _words(Label.SYNTHETIC_SHARE, keys.synthetic_key.reveal(), subject, keys.pool.sharing.rows + 1)
    point = next(value for value in stream if value)
    return field.encode(np.array([point, *islice(stream, keys.pool.sharing.rows)], np.uint64))


def probe_tags(keys: AccountKeys, probes: Strings) -> list[bytes]:
    """What a device remembers of encoded probes that it sealed (7.6): 16 octets that tell nobody else the hash."""
    return split_rows(hash_many(TAG_SIZE, keys.memory_key.reveal(), Label.MEMORY, probes))


def identifier_tags(keys: AccountKeys, identifiers: Iterable[bytes]) -> list[bytes]:
    """What it remembers besides if items are counted, as the share's coordinate is made from the identifier."""
    subjects = [identifier_subject(identifier) for identifier in identifiers]
    return split_rows(hash_many(TAG_SIZE, keys.memory_key.reveal(), Label.MEMORY_OF_ITEM, subjects))


def draw_generation(rng: Rng = secrets.token_bytes) -> int:
    """A new generation: 32 uniform bits, drawn by every device for itself, and again for a deliberate rescan (6.1)."""
    return int.from_bytes(rng(4), "big")


def _polynomial(key: bytes, row: int, degree: int) -> list[int]:
    return list(islice(_words(Label.POLYNOMIAL, key, row.to_bytes(2, "big"), degree + 1), degree + 1))


def _words(label: Label, key: bytes, data: bytes, about: int) -> Iterator[int]:
    return field.words(lambda size: expand(label, key, data, size), about)
