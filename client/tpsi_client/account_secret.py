"""The account secret on this device, and the text in which the account's other devices are given it."""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tpsi.account import ACCOUNT_SECRET_SIZE
from tpsi.manifest import LIST_ID_SIZE
from tpsi.secret import Secret
from tpsi_client.errors import EnrolmentError, HomeError
from tpsi_client.files import read_bounded, write_whole
from tpsi_client.home import Home

_PREFIX = "tpsi-account-secret-1"
MAX_FILE = 1024


@dataclass(frozen=True, slots=True)
class AccountSecret:
    """32 uniform octets, made for one list and shared by the devices of one account."""

    list_id: bytes
    secret: Secret

    @classmethod
    def draw(cls, list_id: bytes) -> Self:
        """A new one."""
        return cls(list_id, Secret(secrets.token_bytes(ACCOUNT_SECRET_SIZE)))

    @property
    def fingerprint(self) -> str:
        """Eight characters by which a person sees that two devices have the same secret; they don't give it away."""
        return hashlib.sha256(b"tpsi-device-fingerprint" + self.secret.reveal()).hexdigest()[:8]

    @property
    def check(self) -> str:
        """Ties the outbox to the secret under which its vouchers were sealed."""
        return hashlib.sha256(b"tpsi-device-check" + self.secret.reveal()).hexdigest()

    def text(self) -> Secret:
        """One line: `tpsi-account-secret-1:LIST:SECRET:CHECK`, the last being a guard against typing errors."""
        body = f"{_PREFIX}:{self.list_id.hex()}:{self.secret.reveal().hex()}"
        return Secret(f"{body}:{_guard(body)}".encode("ascii"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of `text`. Raises EnrolmentError; no message ever repeats the text."""
        body, _, guard = text.strip().rpartition(":")
        parts = body.split(":")
        try:
            if len(parts) != 3 or parts[0] != _PREFIX or guard != _guard(body):
                raise ValueError
            list_id, secret = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
        except ValueError:
            raise EnrolmentError(
                "this is not an account secret, or it was cut or mistyped; "
                "make the file with `tpsi-device secret show --to FILE` on the other device"
            ) from None
        if len(list_id) != LIST_ID_SIZE or len(secret) != ACCOUNT_SECRET_SIZE:
            raise EnrolmentError("this account secret has the wrong length")
        return cls(list_id, Secret(secret))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The secret in a file from another device. Raises HomeError if it can't be read, EnrolmentError."""
        return cls.parse(read_bounded(path, MAX_FILE, "account secret").decode("ascii", "replace"))

    @classmethod
    def load(cls, home: Home) -> Self:
        """The secret of the device in this folder. Raises HomeError if it is missing or damaged."""
        if not home.secret.exists():
            raise HomeError(
                f"the account secret is missing ({home.secret}); restore the file from a backup, "
                "or take it from another device of the account: tpsi-device secret import FILE"
            )
        try:
            return cls.read(home.secret)
        except EnrolmentError:
            raise HomeError(
                f"{home.secret} is damaged; restore it from a backup, or take it from another device "
                "of the account: tpsi-device secret import FILE"
            ) from None

    def save(self, home: Home) -> None:
        """Write the secret's own file, readable for its owner only. Raises DiskError."""
        write_whole(home.secret, self.text().reveal() + b"\n")


def _guard(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:8]
