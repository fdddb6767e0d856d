"""Cells of sensitive columns: encrypted, each for its own place, under data keys that rotate.

    cell = u32(number of the data key) ‖ salt (16) ‖ ChaCha20-Poly1305(key, zero nonce, value, place)
    key  = HMAC-SHA-256(data key, place ‖ salt ‖ 0x01), which is HKDF-Expand (RFC 5869) for 32 octets
    place = "tpsi-server-cell" ‖ u32(number) ‖ u8(|table|) ‖ table ‖ u8(|column|) ‖ column ‖ u8(count) ‖ u64(row part) …

The salt is drawn for every cell that is written, and the place is in the key: no key encrypts two values, hence the
zero nonce. A cell that was moved to another row, column or table, or that somebody wrote who has not the key, does not
open. An older cell of the same place does: what the database's owner puts back is not found out.
"""

import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, select

from tpsi import Rng, Secret
from tpsi.symmetric import TAG_SIZE, open_sealed, seal
from tpsi_server.errors import KeyFileError, StoreError
from tpsi_server.store.schema import data_keys

#: Gives the data key of a number; KeyFileError if it cannot be had.
DataKeys = Callable[[int], Secret]

LABEL = b"tpsi-server-cell"
NUMBER_SIZE, SALT_SIZE = 4, 16
OVERHEAD = NUMBER_SIZE + SALT_SIZE + TAG_SIZE


class DamagedError(StoreError):
    """A sealed cell does not open: it is damaged, or not where it was written."""


class Cells:
    """Seals and opens cells. Without keys both raise KeyFileError."""

    def __init__(self, keys: DataKeys | None, *, rng: Rng = secrets.token_bytes) -> None:
        self._keys = keys
        self._rng = rng

    def seal(self, number: int, column: "Column[Any]", row: Sequence[int], value: bytes) -> bytes:
        """The cell for a value in a row, which is named by whole numbers, under the data key of a number."""
        place, salt = _place(number, column, row), self._rng(SALT_SIZE)
        sealed = seal(self._key(number, place, salt), value, place)
        return number.to_bytes(NUMBER_SIZE, "big") + salt + sealed

    def open(self, column: "Column[Any]", row: Sequence[int], cell: bytes) -> bytes:
        """Inverse of `seal`; DamagedError if it is not a cell of this place."""
        number, salt = key_number(cell), cell[NUMBER_SIZE : NUMBER_SIZE + SALT_SIZE]
        place = _place(number, column, row)
        value = None
        if len(cell) >= OVERHEAD:
            value = open_sealed(self._key(number, place, salt), cell[NUMBER_SIZE + SALT_SIZE :], place)
        if value is None:
            where = f"{column.table.name}.{column.name}, row {' '.join(map(str, row))}"
            raise DamagedError(f"the database is damaged or was tampered with ({where}): restore it from a backup")
        return value

    def _key(self, number: int, place: bytes, salt: bytes) -> bytes:
        if self._keys is None:
            raise KeyFileError("what is stored here is encrypted: the passphrase of the key files is needed")
        return hmac.digest(self._keys(number).reveal(), place + salt + b"\1", "sha256")


def current_key(connection: Connection) -> int:
    """The number of the data key that is written under. It stays in use while the transaction runs."""
    chosen = select(data_keys.c.number).where(data_keys.c.retired.is_(None)).order_by(data_keys.c.number.desc())
    number = connection.execute(chosen.limit(1).with_for_update(read=True)).scalar()
    if number is None:
        raise StoreError("there is no data key in use: run `tpsi-server keys rotate`")
    return int(number)


def key_number(cell: bytes) -> int:
    """The number of the data key that a cell was sealed under."""
    return int.from_bytes(cell[:NUMBER_SIZE], "big")


def _place(number: int, column: "Column[Any]", row: Sequence[int]) -> bytes:
    names = [str(column.table.name).encode(), str(column.name).encode()]
    parts = [bytes([len(name)]) + name for name in names]
    parts += [bytes([len(row)]), *(part.to_bytes(8, "big") for part in row)]
    return LABEL + number.to_bytes(NUMBER_SIZE, "big") + b"".join(parts)
