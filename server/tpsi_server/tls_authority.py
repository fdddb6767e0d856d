"""The development CA: a certificate authority that the server makes for itself, and what it issues."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tpsi.errors import CallerError

#: Devices pin the CA, so it has to outlive them; the server's certificate is renewed whenever the server starts.
CA_LIFETIME = timedelta(days=3650)
SERVER_LIFETIME = timedelta(days=397)
#: Clients' certificates are handed out by hand, and revoked here: they may last.
CLIENT_LIFETIME = timedelta(days=2 * 365)
#: A server that starts has a certificate for at least this long, and need not be restarted before.
RENEW_BEFORE = timedelta(days=180)
#: Clocks of devices may lag behind by this much.
CLOCK_SKEW = timedelta(hours=1)
#: X.520's bound on a common name.
MAX_COMMON_NAME = 64
#: Names that a server on this machine is always reached by.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\Z")


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM, not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Authority(KeyPair):
    """A CA that issues certificates for one server, and for its clients."""

    @classmethod
    def create(cls, now: datetime) -> Self:
        """A new CA with a key of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("tpsi development CA")
        builder = (
            _builder(name, name, key.public_key(), now, now + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    def issue(self, names: Iterable[x509.GeneralName], now: datetime) -> KeyPair:
        """A server certificate, with a new key, for host names and addresses."""
        alternatives = x509.SubjectAlternativeName(names)
        return self._sign("tpsi server", ExtendedKeyUsageOID.SERVER_AUTH, alternatives, now, SERVER_LIFETIME)

    def issue_client(self, name: str, now: datetime, lifetime: float | None = None) -> KeyPair:
        """A client's certificate, with a new key; `lifetime` in seconds, at most CLIENT_LIFETIME."""
        longest = CLIENT_LIFETIME if lifetime is None else min(CLIENT_LIFETIME, timedelta(seconds=lifetime))
        common = f"tpsi client {name}"[:MAX_COMMON_NAME]
        return self._sign(common, ExtendedKeyUsageOID.CLIENT_AUTH, None, now, longest)

    def _sign(
        self,
        name: str,
        usage: x509.ObjectIdentifier,
        alternatives: x509.SubjectAlternativeName | None,
        now: datetime,
        lifetime: timedelta,
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        end = min(now + lifetime, self.certificate.not_valid_after_utc)
        builder = (
            _builder(_name(name), self.certificate.subject, key.public_key(), now, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        )
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        return KeyPair(builder.sign(self.key, hashes.SHA256()), key)

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is this CA's."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """Host names and addresses as a certificate carries them, distinct and in order; CallerError for anything else."""
    return [_general_name(name) for name in dict.fromkeys(names)]


def names_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    """The host names and addresses that a certificate is for."""
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if not _DNS_NAME.match(name):
            raise CallerError(f"{name!r} is neither a host name nor an address") from None
        return x509.DNSName(name.lower())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(end)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
