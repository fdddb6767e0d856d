"""Sets of shares that no honest devices make, and what the server makes of them (section 9)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tests.vectors.making.devices import Account, detection_record
from tests.vectors.making.stage import Record, Stage, md5
from tpsi import AccountKeys, Opened
from tpsi.account import shares
from tpsi.field import P, evaluate
from tpsi.field import encode as encode_values
from tpsi.labels import Label
from tpsi.symmetric import seal
from tpsi.voucher import item_key, pad

REAL_SETS = 9


class Maker:
    """Makes opened vouchers of a pool: real ones, and whatever else."""

    def __init__(self, stage: Stage, keys: AccountKeys) -> None:
        self.stage = stage
        self.keys = keys
        self.rng = stage.rng
        subjects = [md5(f"detection {i}").encode() for i in range(REAL_SETS)]
        self.shares = shares(keys, subjects)

    def opened(self, share: bytes, padded: bytes = b"") -> Opened:
        """A voucher with this share, and with associated data, empty by default, as a real one's."""
        voucher_id = self.rng(16)
        key = item_key(self.keys.ad_key.reveal(), voucher_id)
        return Opened(voucher_id, 0, share, seal(key, padded, Label.AD.value + voucher_id))

    def real(self, number: int, first: int = 0) -> list[Opened]:
        """Vouchers with real shares of different hashes."""
        return [self.opened(share) for share in self.shares[first : first + number]]

    def random(self, number: int) -> list[Opened]:
        """Vouchers with shares of uniform values, whose associated data do not open."""
        return [
            self.broken(self.opened(encode_values(self.values(self.keys.pool.sharing.rows + 1)))) for _ in range(number)
        ]

    def values(self, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
        """Field elements other than zero."""
        drawn = [1 + int.from_bytes(self.rng(16), "big") % (P - 1) for _ in range(number)]
        return np.array(drawn, np.uint64)

    def on_other_polynomials(self, number: int) -> list[Opened]:
        """Vouchers whose shares lie on polynomials that are not the account's."""
        sharing = self.keys.pool.sharing
        terms = self.values(sharing.rows * (sharing.threshold + 1)).reshape(sharing.rows, -1)
        points = self.values(number)
        table = np.column_stack([points, evaluate(terms, points)])
        return [self.broken(self.opened(encode_values(row))) for row in table]

    @staticmethod
    def broken(opened: Opened) -> Opened:
        """The voucher with associated data that do not open."""
        return replace(opened, adct=opened.adct[:-1] + bytes([opened.adct[-1] ^ 1]))

    @staticmethod
    def with_value(opened: Opened, position: int, value: int) -> Opened:
        """The voucher with one value of its share replaced: 0 is the coordinate."""
        start = 8 * position
        share = opened.share[:start] + value.to_bytes(8, "big") + opened.share[start + 8 :]
        return replace(opened, share=share)


def cases(make: Maker) -> Iterator[tuple[str, Sequence[Opened]]]:
    """Names and opened vouchers; t = 3 and u = 4."""
    yield "nothing", []
    yield "t real shares", make.real(3)
    yield "copies of t real shares count once", [*make.real(3), *make.real(3), *make.real(2)]
    yield "t + 1 real shares", make.real(4)
    yield "t + 1 real shares and a copy, whose associated data is revealed too", [*make.real(4), *make.real(1)]
    yield "a − t − 1 = 1 absorbs u random shares", [*make.real(5), *make.random(4)]
    yield "shares that differ from real ones in one row only", one_row_wrong(make)
    yield "fewer shares on other polynomials", [*make.real(9), *make.on_other_polynomials(4)]
    yield "t + 1 shares on polynomials that open nothing", make.on_other_polynomials(4)
    yield "only random shares", make.random(5)
    yield "two shares at one coordinate", conflict(make, 5)
    yield "below the threshold once the conflict is set aside", conflict(make, 4)
    yield "not shares", malformed(make)
    yield "one associated data does not open", [*make.real(4), make.broken(make.real(1, 4)[0])]
    yield "no associated data opens", [make.broken(opened) for opened in make.real(5)]
    yield "padding with an octet that is not zero", bad_padding(make, pad(b"ad", 1)[:-1] + b"\x01")
    yield "length beyond the padding", bad_padding(make, b"\xff" * 4 + bytes(60))
    yield "associated data of size class 1", [*make.real(3), make.opened(make.shares[3], pad(b"ad", 1))]


def one_row_wrong(make: Maker) -> list[Opened]:
    """Two errors of rank one: the larger radius does not pin them, the classical one does."""
    real = make.real(8)
    return [*real[:6], *(make.broken(make.with_value(opened, 1, 7)) for opened in real[6:])]


def conflict(make: Maker, number: int) -> list[Opened]:
    """Real shares, and one that has a real one's coordinate and other rows."""
    real = make.real(number)
    return [*real, make.broken(make.with_value(real[0], 2, 5))]


def malformed(make: Maker) -> list[Opened]:
    """Enough real shares, and octets that are no shares."""
    wrong = make.real(3, 5)
    changes = [(0, 0), (0, P), (4, 2**64 - 1)]
    edited = [make.with_value(opened, *change) for opened, change in zip(wrong, changes, strict=True)]
    return [*make.real(4), *edited]


def bad_padding(make: Maker, padded: bytes) -> list[Opened]:
    """Enough real shares, and one whose associated data open to something that is not padded."""
    return [*make.real(4), make.opened(make.shares[4], padded)]


def detections(stage: Stage, accounts: list[Account]) -> list[Record]:
    """All cases on the first account's first pool."""
    keys = accounts[0].pools[0].keys
    make = Maker(stage, keys)
    return [
        {
            "name": name,
            "account": 0,
            "batch": 0,
            "opened": [
                {"voucher": one.voucher_id.hex(), "share": one.share.hex(), "adct": one.adct.hex()} for one in opened
            ],
            "detection": detection_record(keys, opened, stage.rng),
        }
        for name, opened in cases(make)
    ]
