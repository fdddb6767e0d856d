"""The manifests that a device has seen, so that it notices forks and steps back (specification, section 5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from tpsi.trust import Seen
from tpsi_client.state import settings
from tpsi_client.state.database import Database
from tpsi_client.state.schema import epoch


@dataclass(frozen=True, slots=True)
class Link:
    """One epoch of a list's chain, by its manifest's digest."""

    number: int
    digest: bytes


class Chain:
    """The chain as far as this device has followed it, and which table of it is in use."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Seen | None:
        """The newest epoch seen; None before the first."""
        with self._database.transaction() as connection:
            row = connection.execute(select(epoch).order_by(epoch.c.number.desc()).limit(1)).one_or_none()
        return None if row is None else Seen(row.number, row.digest)

    def follow(self, links: Iterable[Link]) -> None:
        """Record accepted epochs, all or none."""
        values = [{"number": link.number, "digest": link.digest} for link in links]
        if not values:
            return
        with self._database.transaction() as connection:
            connection.execute(insert(epoch).on_conflict_do_nothing(), values)

    def in_use(self) -> bytes | None:
        """The manifest digest of the table that the device seals with; None before the first is complete."""
        with self._database.transaction() as connection:
            found = settings.read(connection, settings.TABLE)
        return None if found is None else bytes.fromhex(found)

    def use(self, digest: bytes) -> None:
        """Seal with the table of this manifest from now on."""
        with self._database.transaction() as connection:
            settings.write(connection, settings.TABLE, digest.hex())
