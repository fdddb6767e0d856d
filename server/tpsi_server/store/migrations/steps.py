"""The steps themselves, which Alembic runs. Apart, because a database of the right revision needs none of it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from tpsi_server.errors import StoreError
from tpsi_server.store.schema import metadata


def run(connection: Connection, version_table: str, to: str = "head") -> None:
    """Run the steps from the revision that a database has (none: from nothing) to another, in its transaction."""

    def steps(revision: Any, _context: MigrationContext) -> Iterable[RevisionStep]:
        return _scripts()._upgrade_revs(to, revision)

    with EnvironmentContext(_config(), _scripts(), fn=steps, destination_rev=to) as environment:
        environment.configure(connection=connection, target_metadata=metadata, version_table=version_table)
        environment.run_migrations()


@cache
def known() -> tuple[str, ...]:
    """The revisions that this program knows, the newest first."""
    return tuple(script.revision for script in _scripts().walk_revisions())


def head() -> str | None:
    """The newest revision; StoreError if two claim to be that."""
    try:
        return _scripts().get_current_head()
    except CommandError as error:
        raise StoreError(str(error)) from None


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
