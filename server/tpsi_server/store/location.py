"""Where a database is: a file of SQLite, or a PostgreSQL server by its URL."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tpsi_server.errors import StoreError

Location = Path | URL
#: The driver that PostgreSQL is spoken to with; nobody has to name it.
_DRIVER = "postgresql+psycopg"
_POSTGRES = ("postgresql", "postgres", _DRIVER)


def parse_location(text: str) -> Location:
    """The location that a text names: `postgresql://user@host:port/name`, `sqlite:///FILE`, or a path.

    Raises StoreError, without the text: it may hold a password.
    """
    if "://" not in text:
        return Path(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("a database is named by postgresql://USER@HOST:PORT/NAME or by the path of a file") from None
    if url.drivername in _POSTGRES:
        if not url.database:
            raise StoreError("the URL of a PostgreSQL database ends with its name: postgresql://USER@HOST:PORT/NAME")
        return url.set(drivername=_DRIVER)
    if url.drivername == "sqlite" and url.database:
        return Path(url.database)
    raise StoreError(f"databases of the kind {url.drivername!r} are not supported: PostgreSQL and SQLite are")


def describe(location: Location) -> str:
    """The location for people and for `server.json`: never with a password."""
    if isinstance(location, Path):
        return str(location)
    return location.set(drivername="postgresql", password=None).render_as_string()
