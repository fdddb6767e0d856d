"""An auditor's key, and that of a source: an Ed25519 key in a PEM file under a passphrase."""

import os
import sys
from getpass import getpass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tpsi import Secret
from tpsi.signing import public_key
from tpsi_audit.errors import AuditorError
from tpsi_client.files import read_bounded, write_whole

ENVIRONMENT = "TPSI_AUDIT_PASSPHRASE"
MAX_FILE = 16_384
LEAST_PASSPHRASE = 8


def make_key(path: Path, passphrase: Secret) -> bytes:
    """Make a key and write it to a new file; the public key, which goes into a file beside it, PATH.pub.

    Raises HomeError if there is a file already, DiskError.
    """
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.reveal())
    write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), replace=False)
    public = public_key(key)
    write_whole(path.with_name(f"{path.name}.pub"), public.hex().encode() + b"\n")
    return public


def load_key(path: Path, passphrase: Secret) -> Ed25519PrivateKey:
    """Open a key file; AuditorError if it does not open, HomeError if it can't be read."""
    data = read_bounded(path, MAX_FILE, "key")
    try:
        key = load_pem_private_key(data, passphrase.reveal())
    except (ValueError, TypeError):
        raise AuditorError(f"{path} does not open: is this the passphrase, and the file of a key?") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditorError(f"{path} holds a key of another kind than Ed25519")
    return key


def ask_passphrase(file: Path | None, *, confirm: bool = False) -> Secret:
    """The passphrase: from a file, the environment, or the keyboard. AuditorError if there is none worth the name."""
    if file is not None:
        text = read_bounded(file, 1024, "passphrase").decode("utf-8", "replace").rstrip("\r\n")
    elif ENVIRONMENT in os.environ:
        text = os.environ[ENVIRONMENT]
    else:
        text = _ask(confirm)
    if len(text) < LEAST_PASSPHRASE:
        raise AuditorError(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
    return Secret(text.encode("utf-8"))


def _ask(confirm: bool) -> str:
    missing = AuditorError(f"there is no passphrase: set {ENVIRONMENT}, or give --passphrase-file")
    if not sys.stdin.isatty():
        raise missing
    try:
        text = getpass("Passphrase of the key: ")
        if confirm and getpass("Once more: ") != text:
            raise AuditorError("the two passphrases differ")
    except EOFError:
        raise missing from None
    return text
