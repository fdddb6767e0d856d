"""Client certificates of every kind for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tpsi_server.tls_authority import Authority, KeyPair, general_names

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shown:
    """What a client shows: key and certificate in PEM, in the order in which gRPC takes them."""

    key: bytes
    certificate: bytes

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """For `Served.shown`."""
        return self.key, self.certificate

    @property
    def x509(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificate(self.certificate)

    @classmethod
    def of(cls, pair: KeyPair) -> "Shown":
        """From a pair."""
        return cls(pair.key_pem, pair.certificate_pem)


def self_signed(start: datetime | None = None, end: datetime | None = None) -> Shown:
    """A certificate that nobody else signed."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now - DAY)
        .not_valid_after(end or now + DAY)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Shown(private, certificate.public_bytes(Encoding.PEM))


def of_authority(authority: Authority, *, issued: datetime | None = None, lifetime: timedelta = DAY) -> Shown:
    """A client's certificate of an authority, issued at some time."""
    return Shown.of(authority.issue_client("test", issued or datetime.now(UTC), lifetime.total_seconds()))


def for_a_server(authority: Authority) -> Shown:
    """A certificate that is for servers and nobody else."""
    return Shown.of(authority.issue(general_names(["localhost"]), datetime.now(UTC)))
