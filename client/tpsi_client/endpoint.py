"""Where the server is, and how a device knows it and is known by it."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Self

from cryptography import x509

from tpsi.errors import DecodeError
from tpsi.secret import Secret

MAX_ADDRESS = 300
#: Certificates of a few authorities; a whole system's store has about 250 000 characters.
MAX_CA = 500_000
MAX_TOKEN = 4096
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`ca`: PEM certificates that the server's one must go back to, None for the usual public authorities."""

    host: str
    port: int
    ca: str | None = field(repr=False)
    token: Secret

    def __post_init__(self) -> None:
        if not _is_host(self.host) or not 1 <= self.port <= 65535:
            raise DecodeError('a server\'s address is written as "host:port"')
        if self.ca is not None:
            _check_certificates(self.ca)
        text = self.token.reveal()
        if not 1 <= len(text) <= MAX_TOKEN or not all(33 <= octet < 127 for octet in text):
            raise DecodeError(f"an access token is 1 to {MAX_TOKEN} visible ASCII characters")

    @classmethod
    def parse(cls, address: str, ca: str | None, token: str) -> Self:
        """From the text `host:port` (`[host]:port` for an IPv6 address). Raises DecodeError."""
        host, _, port = address.rpartition(":")
        if not port.isascii() or not port.isdigit() or len(port) > 5:
            raise DecodeError(f'the server\'s address is not written as "host:port": {address!r}')
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return cls(bare, int(port), ca, Secret(token.encode("utf-8", "replace")))

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


def _check_certificates(pem: str) -> None:
    if len(pem) > MAX_CA:
        raise DecodeError(f"the server's authority has more than {MAX_CA} characters of certificates")
    try:
        x509.load_pem_x509_certificates(pem.encode("ascii", "replace"))
    except ValueError:
        raise DecodeError("the server's authority is not a PEM certificate") from None
