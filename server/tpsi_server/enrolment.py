"""The enrolment file: what a device's owner is given, and the device pins.

    {"tpsi_enrolment": 1, "server": "host:port", "ca": PEM or null, "list": hex (16 octets), "list_name": text,
     "server_key": hex (32 octets), "account": text, "token": text or null, "lowest_threshold": t or null,
     "auditor_keys": [hex (32 octets), …], "auditors_needed": k, "certificate": PEM, "private_key": PEM}

`ca` is the certificate of the authority that the server's certificate is checked against: null for one that the
device's system trusts. `lowest_threshold` is the threshold in force when the file was made, null if there was none:
the device accepts none below it. Of the auditors named, k must have signed a table before the device uses it. That is
a suggestion: an owner who doubts the operator takes the auditors' keys from the auditors. `certificate` and
`private_key` are there for a device that shows a certificate, in place of the token. The file holds the token or key,
so it is a secret until the device has read it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tpsi import Secret
from tpsi.errors import CallerError
from tpsi.trust import check_auditors
from tpsi_server.config import ServerIdentity
from tpsi_server.errors import OperatorError
from tpsi_server.files import write_atomically

VERSION = 1


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The content of an enrolment file. `server` is `host:port`, with brackets around an IPv6 address."""

    server: str
    authority: str | None
    identity: ServerIdentity
    account: str
    token: Secret | None
    lowest_threshold: int | None
    auditor_keys: tuple[bytes, ...] = ()
    auditors_needed: int | None = None
    certificate: str | None = None
    private_key: Secret | None = None

    def __post_init__(self) -> None:
        check_auditors(self.auditor_keys, self.auditors_needed)
        host, colon, port = self.server.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not host or (":" in host and not bracketed) or not _is_port(port):
            raise CallerError(f"the server's address is host:port, not {self.server!r}")

    @property
    def host(self) -> str:
        """The server's host, without brackets."""
        return self.server.rpartition(":")[0].strip("[]")

    def encode(self) -> bytes:
        """The file's octets."""
        value: dict[str, object] = {
            "tpsi_enrolment": VERSION,
            "server": self.server,
            "ca": self.authority,
            "list": self.identity.list_id.hex(),
            "list_name": self.identity.name,
            "server_key": self.identity.server_key.hex(),
            "account": self.account,
            "token": None if self.token is None else self.token.reveal().decode("ascii"),
            "lowest_threshold": self.lowest_threshold,
            "auditor_keys": [key.hex() for key in self.auditor_keys],
            "auditors_needed": len(self.auditor_keys) if self.auditors_needed is None else self.auditors_needed,
        }
        if self.certificate is not None and self.private_key is not None:
            value["certificate"] = self.certificate
            value["private_key"] = self.private_key.reveal().decode("ascii")
        return json.dumps(value, indent=2).encode() + b"\n"

    def write(self, path: Path) -> None:
        """Write a file that only its owner can read; OperatorError if there is one already."""
        try:
            write_atomically(path, self.encode(), replace=False)
        except FileExistsError:
            raise OperatorError(f"there is a file {path} already: name another one") from None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535
