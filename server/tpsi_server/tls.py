"""TLS of the server: the operator's own certificate, or one of the development CA that the server makes itself.

The private keys lie in files that only their owner can read. gRPC for Python speaks TLS 1.2 and 1.3 and has no setting
for it; `demand_tls_1_3` takes 1.2 away all the same.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tpsi import Secret
from tpsi.errors import TpsiError
from tpsi_server.config import TlsOptions
from tpsi_server.files import locked, make_private_folder, write_atomically
from tpsi_server.tls_authority import LOCAL_NAMES, RENEW_BEFORE, Authority, KeyPair, general_names, names_of

CA_CERTIFICATE = "ca.pem"
CA_KEY = "ca.key.pem"
SERVER_CERTIFICATE = "server.pem"
SERVER_KEY = "server.key.pem"
#: A chain of a dozen certificates has about 30 KB.
MAX_PEM = 1 << 18
MIN_RSA_BITS = 2048
#: Addresses that mean "all of this machine's": no client connects to them by that name.
ANY_ADDRESS = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104
#: A cipher suite of TLS 1.2 that needs a shared key, which gRPC never has: no TLS 1.2 handshake succeeds with it.
#: This variable of gRPC's core governs TLS 1.2 and nothing else, and is read when gRPC is imported.
CIPHERS_VARIABLE = "GRPC_SSL_CIPHER_SUITES"
CIPHERS_OF_NO_TLS_1_2 = "ECDHE-PSK-CHACHA20-POLY1305"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class TlsError(TpsiError):
    """A certificate or its key cannot be used; the message is for the operator."""

    code: ClassVar[str] = "TLS"


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a server presents: `chain` and `key` in PEM, the server's certificate first.

    `authority` is the file that devices need in order to trust it, None for an operator's own certificate.
    `client_authority` is the certificate (PEM) of the CA that issues client certificates here, empty if there is none.
    """

    chain: bytes
    key: Secret
    not_after: datetime
    authority: Path | None
    client_authority: bytes = b""


def server_tls(options: TlsOptions, folder: Path, host: str, *, now: datetime | None = None) -> ServerTls | None:
    """What to present under these options, made where it is missing; None if TLS is off.

    `folder` holds the development CA. Raises TlsError for unusable files, CallerError for an impossible name.
    """
    if options.disabled:
        return None
    moment = now or datetime.now(UTC)
    if options.certificate is not None and options.private_key is not None:
        made = operator_tls(options.certificate, options.private_key, moment)
        return replace(made, client_authority=_client_authority(folder, moment))
    own = () if host in ANY_ADDRESS else (host,)
    return development_tls(folder, (*LOCAL_NAMES, *own, *options.names), moment)


def operator_tls(certificate: Path, key: Path, now: datetime) -> ServerTls:
    """The operator's certificate (with its chain) and key; TlsError if they cannot be used."""
    chain = _load_chain(certificate)
    private = _load_key(key)
    _check_pair(chain[0], certificate, private, key)
    _check_time(chain[0], certificate, now)
    if not names_of(chain[0]):
        raise TlsError(f"{certificate} names no host: devices need a certificate with subject alternative names")
    return ServerTls(_pem(chain), _secret_pem(private), chain[0].not_valid_after_utc, None)


def development_tls(folder: Path, names: tuple[str, ...], now: datetime) -> ServerTls:
    """The development CA's server certificate for these names; CA and certificate are made if need be.

    A certificate that is about to expire, or lacks a name, is replaced by a new one of the same CA, which has the names
    of the old one too: devices go on.
    """
    wanted = general_names(names)
    with _alone(folder):
        authority = _authority(folder, now)
        pair = _existing_pair(folder)
        if pair is None or not authority.issued(pair.certificate):
            pair = authority.issue(wanted, now)
            _write_pair(folder, pair, SERVER_CERTIFICATE, SERVER_KEY)
        elif not _still_good(pair, authority, wanted, now):
            pair = authority.issue(dict.fromkeys((*wanted, *names_of(pair.certificate))), now)
            _write_pair(folder, pair, SERVER_CERTIFICATE, SERVER_KEY)
    return ServerTls(
        pair.certificate_pem,
        Secret(pair.key_pem),
        pair.certificate.not_valid_after_utc,
        folder / CA_CERTIFICATE,
        authority.certificate_pem,
    )


def development_authority(folder: Path, now: datetime) -> Authority:
    """The development CA, made if there is none; TlsError if its files cannot be used."""
    with _alone(folder):
        return _authority(folder, now)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes certificates here: a CA that another one replaced would be trusted in vain."""
    make_private_folder(folder)
    with locked(folder / ".lock"):
        yield


def _client_authority(folder: Path, now: datetime) -> bytes:
    """The development CA's certificate, if clients' certificates were issued here."""
    return _authority(folder, now).certificate_pem if (folder / CA_CERTIFICATE).exists() else b""


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file; TlsError if there is none."""
    return _load_chain(path)[0]


def demand_tls_1_3() -> bool:
    """Refuse TLS 1.2 in this process, if gRPC has not been imported yet; whether only TLS 1.3 is spoken from now on.

    A value that the operator gave to the variable is left alone.
    """
    if "grpc" not in sys.modules:
        os.environ.setdefault(CIPHERS_VARIABLE, CIPHERS_OF_NO_TLS_1_2)
    return os.environ.get(CIPHERS_VARIABLE) == CIPHERS_OF_NO_TLS_1_2


def _authority(folder: Path, now: datetime) -> Authority:
    certificate, key = folder / CA_CERTIFICATE, folder / CA_KEY
    if not certificate.exists():
        made = Authority.create(now)
        _write_pair(folder, made, CA_CERTIFICATE, CA_KEY)
        return made
    authority = Authority(_load_chain(certificate)[0], _elliptic(_load_key(key), key))
    _check_pair(authority.certificate, certificate, authority.key, key)
    _check_time(authority.certificate, certificate, now)
    return authority


def _existing_pair(folder: Path) -> KeyPair | None:
    """The server's certificate and key, None if they are missing or damaged: another one is as good."""
    key = folder / SERVER_KEY
    try:
        pair = KeyPair(_load_chain(folder / SERVER_CERTIFICATE)[0], _elliptic(_load_key(key), key))
    except TlsError:
        return None
    return pair if _public(pair.key) == _public_of(pair.certificate) else None


def _still_good(pair: KeyPair, authority: Authority, wanted: Iterable[x509.GeneralName], now: datetime) -> bool:
    """Whether a certificate will do until the server is started again.

    A CA that itself ends soon cannot issue for longer: then the certificate is good to its end.
    """
    certificate = pair.certificate
    needed = min(now + RENEW_BEFORE, authority.certificate.not_valid_after_utc)
    lasts = certificate.not_valid_before_utc <= now and needed <= certificate.not_valid_after_utc
    return lasts and names_of(certificate).issuperset(wanted)


def _write_pair(folder: Path, pair: KeyPair, certificate: str, key: str) -> None:
    """The key first: a certificate without its key would have to be removed by hand."""
    write_atomically(folder / key, pair.key_pem)
    write_atomically(folder / certificate, pair.certificate_pem)


def _load_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, private=False))
    except (ValueError, x509.InvalidVersion):
        raise TlsError(f"{path} is not a certificate in PEM form") from None


def _load_key(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(_read(path, private=True), None)
    except TypeError:
        raise TlsError(
            f"{path} is encrypted: give the server a copy without a passphrase, that only it can read"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise TlsError(f"{path} is not a private key in PEM form") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise TlsError(
        f"{path} is a key of a kind that gRPC does not take: use EC P-256, or RSA of {MIN_RSA_BITS} bits or more"
    )


def _elliptic(key: PrivateKey, path: Path) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsError(
            f"{path} was not made by this program: move it away, or name your own files as certificate and key"
        )
    return key


def _read(path: Path, *, private: bool) -> bytes:
    """The content of a file; TlsError if it is missing, too long, or private and open to others."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_PEM + 1)
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}") from None
    if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TlsError(f"others than its owner can reach {path}: run `chmod 600 {path}`, or make a new key")
    if len(data) > MAX_PEM:
        raise TlsError(f"{path} has more than {MAX_PEM} octets: it is neither a certificate nor a key")
    return data


def _check_pair(certificate: x509.Certificate, path: Path, key: PrivateKey, key_path: Path) -> None:
    if _public(key) != _public_of(certificate):
        raise TlsError(f"{key_path} is not the key of the certificate {path}")


def _check_time(certificate: x509.Certificate, path: Path, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise TlsError(f"the certificate {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: renew it")
    if now < certificate.not_valid_before_utc:
        start = certificate.not_valid_before_utc
        raise TlsError(f"the certificate {path} is not valid before {start:%Y-%m-%d %H:%M} UTC: is the clock right?")


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes:
    """The certificate's public key; of a kind that cannot be read, nothing, which equals no key's."""
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _pem(chain: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def _secret_pem(key: PrivateKey) -> Secret:
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
