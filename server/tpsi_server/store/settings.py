"""What the operator has said about the list as a whole."""

import json
from typing import Any

from sqlalchemy import delete, insert, select

from tpsi_server.store.database import Database, retrying
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
    def put(self, name: str, value: Any) -> None:
        """Keep a value in the place of the one before."""
        with self._database.write() as connection:
            connection.execute(delete(list_settings).where(list_settings.c.name == name))
            connection.execute(insert(list_settings).values(name=name, value=json.dumps(value)))
