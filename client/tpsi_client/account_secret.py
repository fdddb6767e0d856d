"""The account secret of this device, in a file of its own."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

from tpsi.account import ACCOUNT_SECRET_SIZE
from tpsi.manifest import LIST_ID_SIZE
from tpsi.secret import Secret
from tpsi_client.errors import HomeError
from tpsi_client.files import read_bounded, write_whole
from tpsi_client.home import Home

_PREFIX = "tpsi-account-secret-1"
MAX_FILE = 1024
_RESTORE = "restore the device's whole folder from a backup"


@dataclass(frozen=True, slots=True)
class AccountSecret:
    """32 uniform octets, made by a device for one account and one list (specification, section 6.1)."""

    list_id: bytes
    secret: Secret

    @classmethod
    def draw(cls, list_id: bytes) -> Self:
        """A new one."""
        return cls(list_id, Secret(secrets.token_bytes(ACCOUNT_SECRET_SIZE)))

    @property
    def check(self) -> str:
        """Ties the device's memory to the secret under which its vouchers were sealed."""
        return hashlib.sha256(b"tpsi-device-check" + self.secret.reveal()).hexdigest()

    @classmethod
    def load(cls, home: Home) -> Self:
        """The secret of the device in this folder. Raises HomeError if it is missing or damaged."""
        if not home.secret.exists():
            raise HomeError(f"there is no account secret at {home.secret}; {_RESTORE}")
        data = read_bounded(home.secret, MAX_FILE, "account secret")
        body, _, guard = data.decode("ascii", "replace").strip().rpartition(":")
        prefix, _, rest = body.partition(":")
        try:
            list_id, secret = (bytes.fromhex(part) for part in rest.split(":"))
            if prefix != _PREFIX or guard != _guard(body):
                raise ValueError
        except ValueError:
            list_id = secret = b""
        if len(list_id) != LIST_ID_SIZE or len(secret) != ACCOUNT_SECRET_SIZE:
            raise HomeError(f"{home.secret} is damaged; {_RESTORE}")
        return cls(list_id, Secret(secret))

    def save(self, home: Home) -> None:
        """Write the secret's file, readable for its owner only. Raises DiskError.

        One line: `tpsi-account-secret-1:LIST:SECRET:CHECK`, the last being there to notice damage.
        """
        body = f"{_PREFIX}:{self.list_id.hex()}:{self.secret.reveal().hex()}"
        write_whole(home.secret, f"{body}:{_guard(body)}\n".encode("ascii"))


def _guard(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:8]
