"""What the operator has said about the list as a whole."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select, update

from tpsi_server.store.database import Database, insert_new, retrying
from tpsi_server.store.schema import list_settings


class SettingStore:
    """Values by name, as JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> Any:
        """The value; None if there is none."""
        with self._database.read() as connection:
            text = connection.execute(select(list_settings.c.value).where(list_settings.c.name == name)).scalar()
        return None if text is None else json.loads(text)

    @retrying
    def change(self, name: str, change: Callable[[Any], Any]) -> Any:
        """Put what `change` makes of a value (None if there is none) in its place, and return it.

        Nobody else changes it meanwhile; `change` may be called more than once.
        """
        with self._database.write() as connection:
            return change_setting(connection, name, change)


def change_setting(connection: Connection, name: str, change: Callable[[Any], Any]) -> Any:
    """See `SettingStore.change`, in the transaction at hand; the value is locked until that ends."""
    mine = list_settings.c.name == name
    insert_new(connection, list_settings, [{"name": name, "value": json.dumps(None)}])
    before = connection.execute(select(list_settings.c.value).where(mine).with_for_update()).scalar_one()
    value = change(json.loads(before))
    connection.execute(update(list_settings).where(mine).values(value=json.dumps(value)))
    return value
