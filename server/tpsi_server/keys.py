"""The keys of a server: its signing key, and the secrets of every epoch, in a folder of key files."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tpsi import Manifest, Rng, Secret, TableSecrets
from tpsi.errors import CallerError
from tpsi.signing import public_key
from tpsi.table.blinding import FILL_KEY_SIZE
from tpsi_server.errors import KeyFileError
from tpsi_server.files import locked, make_private_folder
from tpsi_server.keyfile import DEFAULT_COST, Cost, read_key_file, write_key_file

SIGNING_KEY_FILE = "server.key"
#: Whoever writes key files holds its lock.
LOCK_FILE = ".lock"
SIGNING_KEY_SIZE = 32
DATA_KEY_SIZE = 32


def epoch_key_path(folder: Path, number: int, digest: bytes) -> Path:
    """The file of an epoch's secrets. No two tables share one, even if an epoch's number were used again."""
    return folder / f"epoch-{number}-{digest.hex()[:8]}.key"


def data_key_path(folder: Path, number: int) -> Path:
    """The file of a data key, which sensitive columns are sealed under."""
    return folder / f"data-{number}.key"


class KeyRing:
    """Opens key files with one passphrase, each when it is first asked for, and keeps the keys. Thread-safe."""

    def __init__(
        self, folder: Path, passphrase: Secret, *, cost: Cost = DEFAULT_COST, rng: Rng = secrets.token_bytes
    ) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._cost = cost
        self._rng = rng
        self._lock = Lock()
        self._signing_key: Ed25519PrivateKey | None = None
        self._epochs: dict[bytes, TableSecrets] = {}
        self._data_keys: dict[int, Secret] = {}

    @property
    def signing_key_path(self) -> Path:
        """The file of the server's signing key."""
        return self._folder / SIGNING_KEY_FILE

    def create_signing_key(self, list_id: bytes) -> bytes:
        """Make the server's signing key; returns the public key. KeyFileError if there is one already."""
        make_private_folder(self._folder)
        key = Ed25519PrivateKey.from_private_bytes(self._rng(SIGNING_KEY_SIZE))
        public = public_key(key)
        about = {"list": list_id.hex(), "public_key": public.hex()}
        self._write(self.signing_key_path, "signing", about, Secret(key.private_bytes_raw()))
        self._signing_key = key
        return public

    def signing_key(self) -> Ed25519PrivateKey:
        """The server's signing key; KeyFileError if it cannot be had."""
        with self._lock:
            if self._signing_key is None:
                _, secret = read_key_file(self.signing_key_path, "signing", self._passphrase)
                if len(secret) != SIGNING_KEY_SIZE:
                    raise KeyFileError(f"{self.signing_key_path} does not hold a signing key")
                self._signing_key = Ed25519PrivateKey.from_private_bytes(secret.reveal())
            return self._signing_key

    def create_data_key(self, list_id: bytes, number: int) -> Path:
        """Make a data key; returns its file. KeyFileError if there is one of this number already."""
        path = data_key_path(self._folder, number)
        about = {"list": list_id.hex(), "number": number}
        self._write(path, "data", about, Secret(self._rng(DATA_KEY_SIZE)))
        return path

    def data_key(self, number: int) -> Secret:
        """A data key; KeyFileError if it cannot be had."""
        with self._lock:
            if number not in self._data_keys:
                path = data_key_path(self._folder, number)
                about, secret = read_key_file(path, "data", self._passphrase)
                if about.get("number") != number or len(secret) != DATA_KEY_SIZE:
                    raise KeyFileError(f"{path} does not hold the data key {number}")
                self._data_keys[number] = secret
            return self._data_keys[number]

    def save_epoch(self, manifest: Manifest, table_secrets: TableSecrets) -> Path:
        """Keep the secrets of a new epoch; returns their file."""
        path = epoch_key_path(self._folder, manifest.epoch, manifest.digest)
        about = {"list": manifest.list_id.hex(), "epoch": manifest.epoch, "manifest": manifest.digest.hex()}
        content = table_secrets.alpha.reveal() + table_secrets.fill_key.reveal()
        self._write(path, "epoch", about, Secret(content))
        return path

    def epoch(self, manifest: Manifest) -> TableSecrets:
        """The secrets of an epoch; KeyFileError if they cannot be had, or are not those of its table."""
        with self._lock:
            if manifest.digest not in self._epochs:
                self._epochs[manifest.digest] = self._read_epoch(manifest)
            return self._epochs[manifest.digest]

    def _read_epoch(self, manifest: Manifest) -> TableSecrets:
        path = epoch_key_path(self._folder, manifest.epoch, manifest.digest)
        size = manifest.group.scalar_size
        _, secret = read_key_file(path, "epoch", self._passphrase)
        content = secret.reveal()
        table_secrets = TableSecrets(Secret(content[:size]), Secret(content[size:]))
        try:
            fits = table_secrets.public_key(manifest.group) == manifest.key
            fits = fits and len(table_secrets.fill_key) == FILL_KEY_SIZE
        except CallerError:
            fits = False
        if not fits:
            raise KeyFileError(f"{path} holds the secrets of another table than that of epoch {manifest.epoch}")
        return table_secrets

    def _write(self, path: Path, kind: str, about: Mapping[str, Any], secret: Secret) -> None:
        """Write a new key file; KeyFileError if the passphrase of the others was changed since this one was given."""
        with locked(self._folder / LOCK_FILE):
            if self.signing_key_path.exists():
                read_key_file(self.signing_key_path, "signing", self._passphrase)
            write_key_file(path, kind, about, secret, self._passphrase, cost=self._cost, rng=self._rng)
