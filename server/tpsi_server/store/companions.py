"""Companions in the store: second hashes of listed pictures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, delete, func, insert, select, update

from tpsi import ItemHash
from tpsi.canary import CANARY_SECONDS
from tpsi_server.companions import Check, Companion, Companions
from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.schema import companions, entries, imports, list_settings, reveals
from tpsi_server.store.settings import SettingStore

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
        self._loaded: tuple[tuple[object, ...], Companions | None] | None = None

    @retrying
    def add(self, new: Iterable[Companion], radii: Mapping[str, int] | None = None) -> int:
        """Take in companions, in one transaction; how many are new.

        What was revealed before and is not confirmed waits to be compared again.
        """
        rows, added = (_row(one.item, one.companion, one.name) for one in new if one.companion), 0
        with self._database.write() as connection:
            while batch := list(islice(rows, _BATCH)):
                added += insert_new(connection, companions, batch)
            again = update(reveals).where(reveals.c.verdict != Check.CONFIRMED.value)
            connection.execute(again.values(verdict=None, distance=None))
            _count_change(connection)
        if radii:
            self._settings.put(_RADII, {**(self._settings.get(_RADII) or {}), **radii})
        return added

    @retrying
    def clear(self) -> int:
        """Forget all companions; how many there were. What was held back stays so."""
        with self._database.write() as connection:
            _count_change(connection)
            return connection.execute(delete(companions)).rowcount

    def coverage(self) -> Coverage:
        """What there is, and what is missing."""
        with self._database.read() as connection:
            count = connection.execute(select(func.count()).select_from(companions)).scalar_one()
            return Coverage(count, _uncovered(connection))

    def load(self) -> Companions | None:
        """All companions; None if there are none. What was read before is given again while nothing has changed."""
        with self._database.read() as connection:
            marks = list_settings.c.name.in_((_CHANGES, _RADII))
            said = connection.execute(select(list_settings).where(marks).order_by(list_settings.c.name)).all()
            if not any(row.name == _CHANGES for row in said):
                return None
            runs = select(func.max(imports.c.id), func.count(imports.c.source.distinct()))  # the list as it is
            state = (*map(tuple, said), tuple(connection.execute(runs).one()))
            if self._loaded is None or self._loaded[0] != state:
                self._loaded = (state, self._read(connection))
        return self._loaded[1]

    def _read(self, connection: Connection) -> Companions | None:
        by_type: dict[str, list[bytes]] = {}
        chosen = select(companions.c.companion).distinct().execution_options(yield_per=_BATCH)
        for block in connection.execute(chosen).scalars().partitions():
            for one in map(ItemHash.decode, block):
                by_type.setdefault(one.type, []).append(one.digest)
        if not by_type:
            return None
        for label, digest in CANARY_SECONDS.items():
            by_type.setdefault(label, []).append(bytes.fromhex(digest))
        return Companions(by_type, complete=not _uncovered(connection), radii=self._settings.get(_RADII) or {})


def _row(item: ItemHash, companion: ItemHash, name: str) -> dict[str, object]:
    return {"item": item.encode(), "companion": companion.encode(), "name": name}


def _uncovered(connection: Connection) -> int:
    """Different hashes that some source names and that have no companion."""
    known = select(companions.c.item).where(companions.c.item == entries.c.item).exists()
    return connection.execute(select(func.count(entries.c.item.distinct())).where(~known)).scalar_one()


def _count_change(connection: Connection) -> None:
    """Let every process see that something has changed."""
    mine = list_settings.c.name == _CHANGES
    before = connection.execute(select(list_settings.c.value).where(mine)).scalar()
    connection.execute(delete(list_settings).where(mine))
    connection.execute(insert(list_settings).values(name=_CHANGES, value=str(int(before or 0) + 1)))
