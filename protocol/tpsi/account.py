"""An account's keys, and the shares, decisions and memory tags that follow from them (specification, section 6)."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tpsi import field
from tpsi.errors import CallerError
from tpsi.groups import Rng
from tpsi.items import ItemHash
from tpsi.labels import Label
from tpsi.manifest import LIST_ID_SIZE
from tpsi.parameters import CountBy, Sharing
from tpsi.secret import Secret
from tpsi.symmetric import KEY_SIZE, expand, kdf, keyed_hash

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


def shares(keys: AccountKeys, subjects: Sequence[bytes]) -> list[bytes]:
    """The encoded real share of every subject (6.3)."""
    by_hash = keys.pool.sharing.count_by is CountBy.HASH
    label = Label.COORDINATE_OF_HASH if by_hash else Label.COORDINATE_OF_ITEM
    key = keys.coordinate_key.reveal()
    drawn = [int.from_bytes(keyed_hash(16, key, label, subject), "big") for subject in subjects]
    points = np.array([1 + value % (field.P - 1) for value in drawn], np.uint64)
    table = np.column_stack([points, field.evaluate(keys.coefficients, points)])
    encoded, size = field.encode(table), field.ELEMENT_SIZE * table.shape[1]
    return [encoded[at : at + size] for at in range(0, len(encoded), size)]


def is_chosen(keys: AccountKeys, subject: bytes, per_million: int) -> bool:
    """Whether the item with this decision subject gets a synthetic voucher (6.4)."""
    if not per_million:
        return False
    drawn = int.from_bytes(keyed_hash(8, keys.synthetic_key.reveal(), Label.SYNTHETIC_DECISION, subject), "big")
    return drawn * 10**6 >> 64 < per_million


def synthetic_share(keys: AccountKeys, subject: bytes) -> bytes:
    """The encoded synthetic share of a decision subject (6.4)."""
    stream = _words(Label.SYNTHETIC_SHARE, keys.synthetic_key.reveal(), subject, keys.pool.sharing.rows + 1)
    point = next(value for value in stream if value)
    return field.encode(np.array([point, *islice(stream, keys.pool.sharing.rows)], np.uint64))


def memory_tag(keys: AccountKeys, probe: bytes) -> bytes:
    """What a device remembers of an encoded probe that it sealed (7.6): 16 octets that tell nobody else the hash."""
    return keyed_hash(TAG_SIZE, keys.memory_key.reveal(), Label.MEMORY, probe)


def memory_tags(keys: AccountKeys, identifier: bytes, probes: Sequence[ItemHash]) -> tuple[bytes, ...]:
    """What a device remembers of an item that it has sealed.

    One for each probe; if items are counted, one more for the identifier, as the share's coordinate is made from it.
    """
    tags = [memory_tag(keys, probe.encode()) for probe in probes]
    if keys.pool.sharing.count_by is CountBy.ITEM:
        subject = identifier_subject(identifier)
        tags.append(keyed_hash(TAG_SIZE, keys.memory_key.reveal(), Label.MEMORY_OF_ITEM, subject))
    return tuple(tags)


def draw_generation(rng: Rng = secrets.token_bytes) -> int:
    """A new generation: 32 uniform bits, drawn by every device for itself, and again for a deliberate rescan (6.1)."""
    return int.from_bytes(rng(4), "big")


def _polynomial(key: bytes, row: int, degree: int) -> list[int]:
    return list(islice(_words(Label.POLYNOMIAL, key, row.to_bytes(2, "big"), degree + 1), degree + 1))


def _words(label: Label, key: bytes, data: bytes, about: int) -> Iterator[int]:
    return field.words(lambda size: expand(label, key, data, size), about)
