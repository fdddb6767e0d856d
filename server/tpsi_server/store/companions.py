"""Companions in the store: second hashes of listed pictures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, func, select, update

from tpsi import ItemHash
from tpsi.canary import CANARY_SECONDS
from tpsi_server.companions import Check, Companion, Companions
from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.schema import companions, entries, list_settings, reveals
from tpsi_server.store.settings import SettingStore, change_setting

_BATCH = 5000
_RADII, _CHANGES = "companion_radii", "companion_changes"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many companions there are, and how many hashes of the list have none."""

    companions: int
    uncovered: int


class CompanionStore:
    """Keeps companions. Reading them all is left to `load`, which does so only when something has changed."""

    def __init__(self, database: Database, settings: SettingStore) -> None:
        self._database = database
        self._settings = settings
        self._loaded: tuple[int, Companions | None] | None = None

    @retrying
    def add(self, read: Callable[[], Iterable[Companion]], radii: Mapping[str, int] | None = None) -> int:
        """Take in the companions that `read` gives, in one transaction; how many are new.

        It is called again if the transaction has to be run again. What was revealed before and is not confirmed waits
        to be compared again.
        """
        rows, added = (_row(one.item, one.companion, one.name) for one in read() if one.companion), 0
        with self._database.write() as connection:
            _count_change(connection)
            if radii:
                change_setting(connection, _RADII, lambda before: {**(before or {}), **radii})
            while batch := list(islice(rows, _BATCH)):
                added += insert_new(connection, companions, batch)
            again = update(reveals).where(reveals.c.verdict != Check.CONFIRMED.value)
            connection.execute(again.values(verdict=None, distance=None))
        return added

    def coverage(self) -> Coverage:
        """What there is, and what is missing."""
        with self._database.read() as connection:
            count = connection.execute(select(func.count()).select_from(companions)).scalar_one()
            return Coverage(count, _uncovered(connection))

    def load(self) -> Companions | None:
        """All companions; None if there are none. What was read before is given again while nothing has changed."""
        with self._database.read() as connection:
            state = companions_state(connection)
            if state is None:
                return None
            if self._loaded is None or self._loaded[0] != state:
                self._loaded = (state, self._read(connection, state))
        return self._loaded[1]

    def _read(self, connection: Connection, state: int) -> Companions | None:
        by_type: dict[str, list[bytes]] = {}
        chosen = select(companions.c.companion).distinct().execution_options(yield_per=_BATCH)
        for block in connection.execute(chosen).scalars().partitions():
            for one in map(ItemHash.decode, block):
                by_type.setdefault(one.type, []).append(one.digest)
        if not by_type:
            return None
        for label, digest in CANARY_SECONDS.items():
            by_type.setdefault(label, []).append(bytes.fromhex(digest))
        radii = self._settings.get(_RADII) or {}
        return Companions(by_type, complete=not _uncovered(connection), radii=radii, state=state)


def companions_state(connection: Connection, *, hold: bool = False) -> int | None:
    """How often companions, or the list that they go with, have changed; None if there never were any.

    With `hold` they do not change until the transaction ends.
    """
    chosen = select(list_settings.c.value).where(list_settings.c.name == _CHANGES)
    value = connection.execute(chosen.with_for_update(read=True) if hold else chosen).scalar()
    return None if value is None else int(value)


def list_changed(connection: Connection) -> None:
    """The list is another one: whether all of it has companions too, so that what is unknown is compared again."""
    if companions_state(connection) is not None:
        _count_change(connection)
        unknown = update(reveals).where(reveals.c.verdict == Check.UNKNOWN.value)
        connection.execute(unknown.values(verdict=None, distance=None))


def _row(item: ItemHash, companion: ItemHash, name: str) -> dict[str, object]:
    return {"item": item.encode(), "companion": companion.encode(), "name": name}


def _uncovered(connection: Connection) -> int:
    """Different hashes that some source names and that have no companion."""
    known = select(companions.c.item).where(companions.c.item == entries.c.item).exists()
    return connection.execute(select(func.count(entries.c.item.distinct())).where(~known)).scalar_one()


def _count_change(connection: Connection) -> None:
    """Let every process see that something has changed."""
    change_setting(connection, _CHANGES, lambda before: int(before or 0) + 1)
