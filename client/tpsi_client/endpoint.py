"""Where the server is, and how a device knows it and is known by it."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tpsi.errors import DecodeError
from tpsi.secret import Secret
from tpsi_client.members import Members

MAX_ADDRESS = 300
#: Certificates of a few authorities; a whole system's store has about 250 000 characters.
MAX_CA = 500_000
MAX_TOKEN = 4096
#: An RSA key of 16 384 bits has about 13 000 characters.
MAX_KEY = 20_000
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a device shows instead of a token: a certificate with its chain, and its private key, both in PEM."""

    chain: str = field(repr=False)
    key: Secret

    def __post_init__(self) -> None:
        _check_certificates(self.chain, "the device's certificate")
        try:
            load_pem_private_key(self.key.reveal(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise DecodeError("the private key of the device's certificate is not one in PEM form") from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`ca`: PEM certificates that the server's one must go back to, None for the usual public authorities.

    There is a token, or a certificate, or both.
    """

    host: str
    port: int
    ca: str | None = field(repr=False)
    token: Secret | None
    certificate: ClientCertificate | None = None

    def __post_init__(self) -> None:
        if not _is_host(self.host) or not 1 <= self.port <= 65535:
            raise DecodeError('a server\'s address is written as "host:port"')
        if self.ca is not None:
            _check_certificates(self.ca, "the server's authority")
        if self.token is None and self.certificate is None:
            raise DecodeError("there is neither an access token nor a certificate")
        text = b"-" if self.token is None else self.token.reveal()
        if not 1 <= len(text) <= MAX_TOKEN or not all(33 <= octet < 127 for octet in text):
            raise DecodeError(f"an access token is 1 to {MAX_TOKEN} visible ASCII characters")

    @classmethod
    def parse(
        cls, address: str, ca: str | None, token: str | None, certificate: ClientCertificate | None = None
    ) -> Self:
        """From the text `host:port` (`[host]:port` for an IPv6 address). Raises DecodeError."""
        host, _, port = address.rpartition(":")
        if not port.isascii() or not port.isdigit() or len(port) > 5:
            raise DecodeError(f'the server\'s address is not written as "host:port": {address!r}')
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        secret = None if token is None else Secret(token.encode("utf-8", "replace"))
        return cls(bare, int(port), ca, secret, certificate)

    @classmethod
    def read(cls, members: Members) -> Self:
        """From the members `server`, `ca`, `token`, `certificate` and `private_key`. Raises DecodeError."""
        shown = None
        if members.has("certificate"):
            key = Secret(members.text("private_key", MAX_KEY).encode("utf-8", "replace"))
            shown = ClientCertificate(members.text("certificate", MAX_CA), key)
        return cls.parse(
            members.text("server", MAX_ADDRESS),
            members.text("ca", MAX_CA) if members.has("ca") else None,
            members.text("token", MAX_TOKEN) if members.has("token") or shown is None else None,
            shown,
        )

    def written(self) -> dict[str, str | None]:
        """The members that `read` reads; they hold secrets."""
        value = {
            "server": self.address,
            "ca": self.ca,
            "token": None if self.token is None else self.token.reveal().decode("ascii"),
        }
        if self.certificate is not None:
            value["certificate"] = self.certificate.chain
            value["private_key"] = self.certificate.key.reveal().decode("ascii")
        return value

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that no proxy can lie between."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _is_host(host: str) -> bool:
    if _HOST.match(host):
        return True
    try:
        return bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False


def _check_certificates(pem: str, what: str) -> None:
    if len(pem) > MAX_CA:
        raise DecodeError(f"{what} has more than {MAX_CA} characters of certificates")
    try:
        x509.load_pem_x509_certificates(pem.encode("ascii", "replace"))
    except (ValueError, x509.InvalidVersion):
        raise DecodeError(f"{what} is not a PEM certificate") from None
