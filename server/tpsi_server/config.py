"""The data folder: what lies where, and the list's identity; and the settings of a serving process."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tpsi import Rng, Secret
from tpsi.errors import CallerError
from tpsi.manifest import LIST_ID_SIZE, MAX_NAME
from tpsi_server.errors import DataError, OperatorError
from tpsi_server.files import make_private_folder, read_bounded, write_atomically

VERSION = 1
DEFAULT_PORT = 50051
#: `server.json` holds a name of at most MAX_NAME characters and little else.
MAX_SERVER_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class ListIdentity:
    """What names the list and its whole chain of epochs: `list_id` has 16 octets."""

    list_id: bytes
    name: str

    def __post_init__(self) -> None:
        if len(self.list_id) != LIST_ID_SIZE:
            raise CallerError(f"a list id has {LIST_ID_SIZE} octets")
        if not 1 <= len(self.name) <= MAX_NAME or not self.name.isprintable():
            raise CallerError(f"a list is named by 1 to {MAX_NAME} printable characters")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths below the data folder. The keys may lie elsewhere: then a copy of the data opens nothing."""

    path: Path
    keys_path: Path | None = None

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "tpsi.sqlite3"

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
    def exists(self) -> bool:
        """Whether `create` has been here."""
        return self.server_file.exists()

    def create(self, name: str, *, rng: Rng = secrets.token_bytes) -> ListIdentity:
        """Make the folders and a new list identity; OperatorError if there is one already."""
        identity = ListIdentity(rng(LIST_ID_SIZE), name)
        if self.exists:
            raise OperatorError(f"{self.path} is set up already: choose another folder with --data")
        for folder in (self.path, self.tables, self.keys, self.tls):
            make_private_folder(folder)
        value = {"tpsi_server": VERSION, "list": identity.list_id.hex(), "name": identity.name}
        write_atomically(self.server_file, json.dumps(value, indent=2).encode() + b"\n")
        return identity

    def identity(self) -> ListIdentity:
        """The list's identity; DataError if the folder was not set up, or `server.json` is damaged."""
        if not self.exists:
            raise DataError(f"{self.path} is not a tpsi server's data folder: run `tpsi-server init` first")
        data = read_bounded(self.server_file, MAX_SERVER_FILE)
        try:
            value = json.loads(data)
            if value["tpsi_server"] != VERSION:
                raise DataError(f"{self.server_file} is of another version than this program understands")
            return ListIdentity(bytes.fromhex(value["list"]), str(value["name"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise DataError(f"{self.server_file} is damaged: restore it from a backup") from None

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
    `workers`: processes that match beside this one; 0 matches in this process.
    """

    folder: DataFolder
    passphrase: Secret
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    port_file: Path | None = None
    workers: int = 1
    tls: TlsOptions = TlsOptions()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise CallerError(f"a port is 0 to 65535, not {self.port}")
        if not 0 <= self.workers <= 64:
            raise CallerError(f"0 to 64 worker processes can be had, not {self.workers}")
        if not self.host:
            raise CallerError("the host to listen on is missing")
