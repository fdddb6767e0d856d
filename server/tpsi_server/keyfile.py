"""Key files: a secret encrypted under a passphrase, in JSON whose readable part is authenticated.

    {"tpsi_key_file": 1, "kind": "epoch", "about": {...}, "kdf": {"name": "scrypt", "n": 65536, "r": 8, "p": 1,
     "salt": hex}, "cipher": "chacha20-poly1305", "sealed": hex, "sha256": hex}

The key is scrypt of the passphrase, made for this file alone by its salt, hence the zero nonce. All members but
`sealed` and `sha256` are authenticated with the secret, in canonical form; `about` says in clear text what the key is
for. `sha256` is over the canonical form of all the others: it tells a damaged file from a wrong passphrase.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tpsi import Rng, Secret, canonical
from tpsi.errors import CallerError
from tpsi.symmetric import KEY_SIZE, open_sealed, seal
from tpsi_server.errors import KeyFileError
from tpsi_server.files import read_bounded, write_atomically

VERSION = 1
CIPHER = "chacha20-poly1305"
SALT_SIZE = 16
#: A key file has a few hundred octets.
MAX_SIZE = 1 << 16
#: Memory that a key file may make scrypt take, 128·n·r octets, and how often: a bound on what a foreign file costs.
MAX_MEMORY, MAX_PARALLEL = 256 << 20, 4


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of scrypt (RFC 7914, section 2). The default takes 64 MiB and about a fifth of a second."""

    n: int = 1 << 16
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        if not all(type(value) is int for value in (self.n, self.r, self.p)):
            raise CallerError("the parameters of scrypt are whole numbers")
        if self.n < 2 or self.n & (self.n - 1) or self.r < 1 or not 1 <= self.p <= MAX_PARALLEL:
            raise CallerError("these are not parameters of scrypt")
        if 128 * self.n * self.r > MAX_MEMORY:
            raise CallerError(f"scrypt may take {MAX_MEMORY >> 20} MiB, these parameters need more")
        if self.n.bit_length() > 16 * self.r:
            raise CallerError("scrypt's n is below 2 to the power of 16 r")


DEFAULT_COST = Cost()


def write_key_file(
    path: Path,
    kind: str,
    about: Mapping[str, Any],
    secret: Secret,
    passphrase: Secret,
    *,
    cost: Cost = DEFAULT_COST,
    rng: Rng = secrets.token_bytes,
) -> None:
    """Encrypt a secret into a new file that only its owner can read; KeyFileError if there is one already."""
    data = _encrypt(kind, about, secret, passphrase, cost=cost, rng=rng)
    try:
        write_atomically(path, data, replace=False)
    except FileExistsError:
        raise KeyFileError(f"there is a key file {path} already: it is never overwritten") from None


def change_passphrase(
    path: Path, old: Secret, new: Secret, *, cost: Cost = DEFAULT_COST, rng: Rng = secrets.token_bytes
) -> Callable[[], None] | None:
    """A call that encrypts a key file under another passphrase, in place; None if it is already.

    The file is opened at once: KeyFileError, as from `read_key_file`, if it opens under neither.
    """
    kind = _read(path)["kind"]
    with suppress(KeyFileError):
        read_key_file(path, kind, new)
        return None
    about, secret = read_key_file(path, kind, old)
    data = _encrypt(kind, about, secret, new, cost=cost, rng=rng)
    return lambda: write_atomically(path, data)


def read_key_file(path: Path, kind: str, passphrase: Secret) -> tuple[Mapping[str, Any], Secret]:
    """What a key file is about, and its secret.

    Raises KeyFileError, in different words, if the file is missing, is no key file, is one of another kind or
    version, is damaged, or does not open with this passphrase.
    """
    content = _read(path)
    if content["kind"] != kind:
        raise KeyFileError(f"{path} is a key file, but of the kind {content['kind']!r} and not {kind!r}")
    try:
        kdf, sealed = content["kdf"], bytes.fromhex(content["sealed"])
        cost, salt = Cost(kdf["n"], kdf["r"], kdf["p"]), bytes.fromhex(kdf["salt"])
        known = (kdf["name"], content["cipher"], len(salt)) == ("scrypt", CIPHER, SALT_SIZE)
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise KeyFileError(f"{path} is encrypted in a way that this program does not know")
    header = {name: value for name, value in content.items() if name not in ("sealed", "sha256")}
    plain = open_sealed(_derive(passphrase, salt, cost), sealed, canonical.encode(header))
    if plain is None:
        raise KeyFileError(f"the passphrase is not the one that {path} was encrypted with")
    return content["about"], Secret(plain)


def _encrypt(kind: str, about: Mapping[str, Any], secret: Secret, passphrase: Secret, *, cost: Cost, rng: Rng) -> bytes:
    salt = rng(SALT_SIZE)
    header = {
        "tpsi_key_file": VERSION,
        "kind": kind,
        "about": dict(about),
        "kdf": {"name": "scrypt", "n": cost.n, "r": cost.r, "p": cost.p, "salt": salt.hex()},
        "cipher": CIPHER,
    }
    sealed = seal(_derive(passphrase, salt, cost), secret.reveal(), canonical.encode(header))
    content = {**header, "sealed": sealed.hex()}
    content["sha256"] = _checksum(content)
    return json.dumps(content, indent=2).encode() + b"\n"


def _read(path: Path) -> dict[str, Any]:
    """The members of a key file whose checksum is right."""
    try:
        data = read_bounded(path, MAX_SIZE)
    except FileNotFoundError:
        raise KeyFileError(f"the key file {path} is missing: are the keys in another folder (--keys)?") from None
    if not data.lstrip().startswith(b"{") or b'"tpsi_key_file"' not in data:
        raise KeyFileError(f"{path} is not a key file")
    try:
        content = json.loads(data)
        if content["tpsi_key_file"] != VERSION:
            raise KeyFileError(f"{path} is a key file of another version: update tpsi-server")
        members = {name: value for name, value in content.items() if name != "sha256"}
        sound = hmac.compare_digest(_checksum(members), content["sha256"]) and isinstance(content["kind"], str)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise KeyFileError(f"{path} is damaged or cut off: restore it from a backup")
    return content  # type: ignore[no-any-return]


def _checksum(members: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical.encode(members)).hexdigest()


def _derive(passphrase: Secret, salt: bytes, cost: Cost) -> bytes:
    return Scrypt(salt, KEY_SIZE, cost.n, cost.r, cost.p).derive(passphrase.reveal())
