"""The data folder: what lies where, and the list's identity; and the settings of a serving process."""

import json
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from tpsi import Secret
from tpsi.errors import CallerError
from tpsi.manifest import LIST_ID_SIZE, MAX_NAME
from tpsi.signing import PUBLIC_KEY_SIZE
from tpsi_server.errors import DataError, OperatorError
from tpsi_server.files import make_private_folder, read_bounded, write_atomically
from tpsi_server.store.location import Location, describe, parse_location
from tpsi_server.store.quotas import Allowance

VERSION = 1
DEFAULT_PORT = 50051
#: Seconds after a batch came that its acknowledgement leaves, at the earliest: who comes while matches are written down
#: waits for the store, and that shows only beyond.
ANSWER_AFTER = 0.02
#: The longest that can be asked for: batches in flight are few, and bound what an upload carries.
MAX_ANSWER_AFTER = 2.0
#: More than any person's pictures, and less than what would fill a disk in a day.
DEFAULT_ALLOWANCE = Allowance(vouchers=10_000_000, octets_a_day=16 << 30, vouchers_a_second=20_000)
#: `server.json` holds a name of at most MAX_NAME characters and little else.
MAX_SERVER_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What devices pin at enrolment, and the list's name for people.

    `list_id` (16 octets) names the list and its whole chain of epochs, `server_key` (32) is the public key
    that its manifests are signed under.
    """

    list_id: bytes
    name: str
    server_key: bytes

    def __post_init__(self) -> None:
        if len(self.list_id) != LIST_ID_SIZE or len(self.server_key) != PUBLIC_KEY_SIZE:
            raise CallerError("a list id has 16 octets, a server key 32")
        if not 1 <= len(self.name) <= MAX_NAME or not self.name.isprintable():
            raise CallerError(f"a list is named by 1 to {MAX_NAME} printable characters")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths below the data folder. The keys may lie elsewhere: then a copy of the data opens nothing."""

    path: Path
    keys_path: Path | None = None
    #: Where the database is, if neither in this folder nor where `server.json` says (`tpsi_server.store.location`).
    database_at: str | None = None

    @property
    def database(self) -> Path:
        """The SQLite database, if it is not elsewhere."""
        return self.path / "tpsi.sqlite3"

    @property
    def location(self) -> Location:
        """Where the database is; DataError or StoreError if that is not said in a way that can be understood."""
        text = self.database_at
        if text is None and self.is_set_up:
            text = self._members().get("database")
        if not isinstance(text, str | None):
            raise DataError(f'{self.server_file}: "database" is a text, a URL or a path')
        return self.database if text is None else parse_location(text)

    @property
    def tables(self) -> Path:
        """One folder for every epoch."""
        return self.path / "tables"

    @property
    def keys(self) -> Path:
        """The encrypted key files."""
        return self.keys_path or self.path / "keys"

    @property
    def tls(self) -> Path:
        """Certificates and their keys, and the development CA."""
        return self.path / "tls"

    @property
    def server_file(self) -> Path:
        """The list's identity."""
        return self.path / "server.json"

    @property
    def is_set_up(self) -> bool:
        """Whether there is an identity here; it is the last thing that a set-up writes."""
        return self.server_file.exists()

    def make_folders(self) -> None:
        """Make the folders that are missing."""
        for folder in (self.path, self.tables, self.keys, self.tls):
            make_private_folder(folder)

    def write_identity(self, identity: ServerIdentity) -> None:
        """Keep the identity, and where the database is, in `server.json`; OperatorError if there is one already."""
        value = {
            "tpsi_server": VERSION,
            "list": identity.list_id.hex(),
            "name": identity.name,
            "server_key": identity.server_key.hex(),
        }
        if self.location != self.database:
            value["database"] = describe(self.location)
        try:
            write_atomically(self.server_file, json.dumps(value, indent=2).encode() + b"\n", replace=False)
        except FileExistsError:
            raise OperatorError(f"{self.path} is set up already: choose another folder with --data") from None

    def identity(self) -> ServerIdentity:
        """The server's identity; DataError if the folder was not set up, or `server.json` is damaged."""
        value = self._members()
        try:
            return ServerIdentity(bytes.fromhex(value["list"]), str(value["name"]), bytes.fromhex(value["server_key"]))
        except (ValueError, KeyError, TypeError):
            raise DataError(f"{self.server_file} is damaged: restore it from a backup") from None

    def allowance(self) -> Allowance:
        """What an account without limits of its own may send: `limits` in `server.json`, named as in Allowance."""
        limits = self._members().get("limits", {})
        try:
            return replace(DEFAULT_ALLOWANCE, **limits)
        except (CallerError, TypeError):
            names = ", ".join(field.name for field in fields(Allowance))
            raise DataError(
                f'{self.server_file}: "limits" has whole numbers for {names}, where 0 is no limit'
            ) from None

    def use_database(self, location: Location) -> None:
        """Write down in `server.json` that the database is elsewhere from now on."""
        value = {**self._members(), "database": describe(location)}
        if location == self.database:
            del value["database"]
        write_atomically(self.server_file, json.dumps(value, indent=2).encode() + b"\n")

    def _members(self) -> dict[str, Any]:
        """What `server.json` holds; DataError if the folder was not set up, or it is damaged."""
        if not self.is_set_up:
            raise DataError(f"{self.path} is not the data folder of a server: run `tpsi-server init` first")
        try:
            value = json.loads(read_bounded(self.server_file, MAX_SERVER_FILE))
            version = value["tpsi_server"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise DataError(f"{self.server_file} is damaged: restore it from a backup") from None
        if version != VERSION or not isinstance(value, dict):
            raise DataError(f"{self.server_file} is of another version than this program understands")
        return value

    @classmethod
    def at(cls, data: str | os.PathLike[str], keys: str | os.PathLike[str] | None = None) -> Self:
        """The data folder at a path, with its keys inside or at another path."""
        return cls(Path(data), None if keys is None else Path(keys))


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How to serve: with the operator's certificate and key, or, by default, with the development CA's.

    `names`: host names and addresses that a development certificate is made for, besides the host itself.
    `disabled`: plaintext, for a proxy on the same machine or a test.
    """

    certificate: Path | None = None
    private_key: Path | None = None
    names: tuple[str, ...] = ()
    disabled: bool = False

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise CallerError("a certificate and its private key are given together or not at all")
        if self.disabled and (self.certificate is not None or self.names):
            raise CallerError("without TLS there is no certificate to configure")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """All that a serving process is told.

    `port` 0 takes any free one; the one taken is printed, and written to `port_file` when all is ready.
    `workers`: processes that match beside this one; 0 matches in this process. `certificate_port`: a second port, for
    clients that show certificates (written below the first in the port file); None for no such port.
    `metrics`: host and port of the metrics, None for none. `answer_after`: seconds after a batch came that its
    acknowledgement leaves at the earliest. `matching`: whether vouchers are matched as they come, or wait for somebody
    else to match them.
    """

    folder: DataFolder
    passphrase: Secret
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    port_file: Path | None = None
    workers: int = 1
    tls: TlsOptions = TlsOptions()
    certificate_port: int | None = None
    metrics: tuple[str, int] | None = None
    answer_after: float = ANSWER_AFTER
    matching: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.answer_after <= MAX_ANSWER_AFTER:
            raise CallerError(f"answers can be held back for 0 to {MAX_ANSWER_AFTER:g} s, not {self.answer_after}")
        for port in (self.port, self.certificate_port or 0):
            if not 0 <= port <= 65_535:
                raise CallerError(f"a port is 0 to 65535, not {port}")
        if self.certificate_port is not None and self.tls.disabled:
            raise CallerError("without TLS there are no certificates to show")
        if not 0 <= self.workers <= 64:
            raise CallerError(f"0 to 64 worker processes can be had, not {self.workers}")
        if not self.host:
            raise CallerError("the host to listen on is missing")
