"""Rotation of the data keys, and of the passphrase that all key files are encrypted under."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tpsi import Rng, Secret
from tpsi_server.errors import KeyFileError, OperatorError
from tpsi_server.files import locked
from tpsi_server.keyfile import DEFAULT_COST, Cost, change_passphrase
from tpsi_server.keys import LOCK_FILE, KeyRing, data_key_path
from tpsi_server.store import Store

#: Told how many cells are done, of how many.
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotation: the data key that is in use now, how many cells were sealed anew, whether it had begun before.

    `damaged` cells do not open, and are as they were.
    """

    number: int
    cells: int
    resumed: bool
    damaged: int = 0


def prepare_rotation(store: Store, keys: KeyRing, folder: Path, list_id: bytes) -> int:
    """Make the file of the next data key, or find the one that an earlier call has made; the key's number.

    It is not in use yet: with replicas whose key folders are copies, copy it to all of them before `rotate`.
    """
    with _alone(store, folder):
        return _prepare(store, keys, folder, list_id)


def rotate(
    store: Store, keys: KeyRing, folder: Path, list_id: bytes, report: Report = lambda _done, _total: None
) -> Rotated:
    """Write under a new data key from now on, and seal all that there is anew under it.

    A rotation that was interrupted is brought to its end, and none is begun. Servers may go on meanwhile.
    """
    with _alone(store, folder):
        number = store.data_keys.current()
        done = _reseal(store, number, report)
        resumed = done > 0
        if not resumed:
            number = _prepare(store, keys, folder, list_id)
            store.data_keys.add(number, time.time())
            done = _reseal(store, number, report)
        store.sweep()  # of the cells that were under the key before
        return Rotated(number, done, resumed, _under_others(store, number))


def _prepare(store: Store, keys: KeyRing, folder: Path, list_id: bytes) -> int:
    number = store.data_keys.current() + 1
    if not data_key_path(folder, number).exists():
        keys.create_data_key(list_id, number)
    keys.data_key(number)  # that it opens is known before anything depends on it
    return number


def _reseal(store: Store, number: int, report: Report) -> int:
    """Seal all that is under another data key than this one, which is in use, anew; how many cells that were."""
    left, done = _under_others(store, number), 0
    position: tuple[int, int] | None = (0, 0) if left else None
    while position is not None:
        count, position = store.data_keys.reseal(position)
        done += count
        report(done, max(done, left))
    return done


def _under_others(store: Store, number: int) -> int:
    return sum(record.cells for record in store.data_keys.all() if record.number != number)


@contextmanager
def _alone(store: Store, folder: Path) -> Iterator[None]:
    """One rotation at a time, here and on other replicas: two would make two keys of one number."""
    with locked(folder / ".rotation.lock", "another rotation is running here"), store.alone("rotation") as alone:
        if not alone:
            raise OperatorError("another rotation is running on another replica: wait for its end")
        yield


def retire(store: Store, folder: Path, number: int) -> None:
    """Take a data key out of use that nothing is sealed under any more, and delete its file.

    Raises OperatorError if there is none of this number, or it is still needed.
    """
    if number == store.data_keys.current():
        raise OperatorError(f"data key {number} is the one in use: run `tpsi-server keys rotate` first")
    try:
        left = store.data_keys.retire(number, time.time())
    except KeyError:
        raise OperatorError(f"there is no data key {number}: see `tpsi-server keys list`") from None
    if left:
        raise OperatorError(f"{left} cells are sealed under data key {number}: run `tpsi-server keys rotate` first")
    data_key_path(folder, number).unlink(missing_ok=True)


def change_all_passphrases(
    folder: Path, old: Secret, new: Secret, *, cost: Cost = DEFAULT_COST, rng: Rng = secrets.token_bytes
) -> int:
    """Encrypt every key file of a folder under another passphrase; how many were changed.

    All of them are opened before the first is written. If it is interrupted, the same call goes on: files that
    open under the new passphrase are left as they are. KeyFileError if one opens under neither.
    """
    if not any(folder.glob("*.key")):
        raise KeyFileError(f"there are no key files in {folder}: are the keys in another folder (--keys)?")
    with locked(folder / LOCK_FILE):  # a key that is made meanwhile would stay under the old one
        changes = [change_passphrase(file, old, new, cost=cost, rng=rng) for file in sorted(folder.glob("*.key"))]
        for change in changes:
            if change is not None:
                change()
    return sum(change is not None for change in changes)
