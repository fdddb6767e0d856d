"""The state of one device in one database, bound to the device and to its account secret."""

import json
from collections.abc import Sequence
from pathlib import Path

from tpsi.account import draw_generation
from tpsi.log import Notice, SignedCheckpoint
from tpsi_client.errors import HomeError
from tpsi_client.state import settings
from tpsi_client.state.chain import Chain
from tpsi_client.state.database import Database
from tpsi_client.state.memory import Memory
from tpsi_client.state.outbox import Outbox


class State:
    """Outbox, memory and chain of one device."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.outbox = Outbox(database)
        self.memory = Memory(database)
        self.chain = Chain(database)

    @classmethod
    def create(cls, path: Path, identity: str, secret_check: str) -> "State":
        """The state of a device that enrols; one that exists already is opened."""
        return cls(Database(path, create=True))._bound(identity, secret_check, new=True)

    @classmethod
    def open(cls, path: Path, identity: str, secret_check: str, *, read_only: bool = False) -> "State":
        """The state of an enrolled device.

        Raises HomeError if it is missing, damaged, of another device, or was written under another account
        secret: vouchers under two secrets in one account would spoil each other's threshold.
        """
        return cls(Database(path, create=False, read_only=read_only))._bound(identity, secret_check)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def check(self) -> str:
        """What is wrong with the database; empty if it is sound."""
        return self._database.check()

    @property
    def generation(self) -> int:
        """Drawn at random by every device for itself, and again by every rescan (specification, section 6.1)."""
        return int(self.fact(settings.GENERATION) or 0)

    def fact(self, name: str) -> str | None:
        """A fact of `settings`."""
        with self._database.transaction() as connection:
            return settings.read(connection, name)

    def note(self, name: str, value: str) -> None:
        """Write a fact of `settings`."""
        with self._database.transaction() as connection:
            settings.write(connection, name, value)

    @property
    def checkpoint(self) -> SignedCheckpoint | None:
        """The state of the server's log that the device accepted last; None before the first."""
        found = self.fact(settings.CHECKPOINT)
        return None if found is None else SignedCheckpoint.decode(found.encode("utf-8"))

    def keep_checkpoint(self, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint in place of the one before."""
        self.note(settings.CHECKPOINT, signed.encode().decode("utf-8"))

    @property
    def notices(self) -> list[tuple[int, Notice]]:
        """The reveals that the server told of, with their places in its log, the earliest first."""
        found = json.loads(self.fact(settings.NOTICES) or "[]")
        return [(place, Notice.decode(notice.encode("ascii"))) for place, notice in found]

    def keep_notices(self, told: Sequence[tuple[int, Notice]]) -> None:
        """Add what the server told."""
        kept = [(place, notice.encoded.decode("ascii")) for place, notice in [*self.notices, *told]]
        self.note(settings.NOTICES, json.dumps(kept))

    def _begin(self, identity: str, secret_check: str) -> None:
        with self._database.transaction() as connection:
            if settings.read(connection, settings.IDENTITY) is None:
                settings.write(connection, settings.IDENTITY, identity)
                settings.write(connection, settings.SECRET_CHECK, secret_check)
                settings.write(connection, settings.GENERATION, str(draw_generation()))

    def _bound(self, identity: str, secret_check: str, *, new: bool = False) -> "State":
        """This state, if it is what a device expects, or `new` and made so; else it is closed."""
        try:
            if new:
                self._begin(identity, secret_check)
            for name, value in ((settings.IDENTITY, identity), (settings.SECRET_CHECK, secret_check)):
                if self.fact(name) != value:
                    what = "account, list or server" if name == settings.IDENTITY else "account secret"
                    raise HomeError(
                        f"the device's memory belongs to another {what} than its configuration; "
                        "restore all files of the folder from one backup"
                    )
        except BaseException:
            self.close()
            raise
        return self
