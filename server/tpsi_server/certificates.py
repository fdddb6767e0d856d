"""Client certificates: who may talk to the server by one, in place of a token or beside it.

A certificate stands for somebody only because it was registered here, by the SHA-256 of its DER: that an authority
issued it lets it through the handshake, and nothing more.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tpsi import Secret
from tpsi.errors import CallerError
from tpsi_server.accounts import Identity, Role
from tpsi_server.errors import OperatorError, RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.store import Store
from tpsi_server.tls_authority import Authority

#: Certificates of other authorities than the development CA: a handshake names them all, in 64 KB.
MAX_FOREIGN = 256
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A new certificate and its key, both in PEM; the key is nowhere else."""

    certificate_id: int
    certificate: str
    key: Secret
    role: Role
    account: str | None
    expires: float


class Certificates:
    """Registers, issues and revokes client certificates, and tells whom one stands for."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def issue(
        self, authority: Authority, role: Role, account: str | None = None, *, lifetime: float | None = None
    ) -> IssuedCertificate:
        """A new certificate of the development CA; `lifetime` in seconds, by default as long as the CA's limit.

        Raises OperatorError for an unknown or revoked account, CallerError if role and account do not fit.
        """
        pair = authority.issue_client(
            f"{role} {account or ''}".strip(), datetime.fromtimestamp(self._clock(), UTC), lifetime
        )
        number = self.register(pair.certificate, role, account, authority)
        expires = pair.certificate.not_valid_after_utc.timestamp()
        return IssuedCertificate(
            number, pair.certificate_pem.decode("ascii"), Secret(pair.key_pem), role, account, expires
        )

    def register(
        self, certificate: x509.Certificate, role: Role, account: str | None, authority: Authority | None
    ) -> int:
        """Let a certificate stand for an account or a role; its number.

        `authority`: the development CA, if there is one.

        Raises OperatorError for an unknown or revoked account, a certificate that is registered already or has
        expired, and too many certificates of other authorities; CallerError if role and account do not fit.
        """
        if (role is Role.DEVICE) != (account is not None):
            raise CallerError("a device's certificate belongs to an account, and no other one does")
        now, expires = self._clock(), certificate.not_valid_after_utc.timestamp()
        if expires <= now:
            raise OperatorError("the certificate has expired: register another one")
        fingerprint = fingerprint_of(certificate)
        if self._store.certificates.find(fingerprint) is not None:
            raise OperatorError("the certificate is registered already: see `tpsi-server certificate list`")
        own = authority is not None and authority.issued(certificate)
        if not own and len(self._store.certificates.anchors()) >= MAX_FOREIGN:
            raise OperatorError(
                f"{MAX_FOREIGN} certificates of other authorities are registered, which is as many as a handshake can "
                "name: issue one here instead"
            )
        anchor = None if own else certificate.public_bytes(Encoding.DER)
        number = self._store.certificates.add(fingerprint, role.value, account, now=now, expires=expires, anchor=anchor)
        if number is None:
            raise OperatorError(f"there is no account {account!r}, or it was revoked")
        _log.info("certificate %d for the role %s was registered", number, role)
        return number

    def authenticate(self, fingerprint: bytes) -> Identity:
        """Whom a certificate stands for.

        Raises RefusedError with CERTIFICATE_UNKNOWN, CERTIFICATE_EXPIRED or CERTIFICATE_REVOKED (which one of a
        revoked account is too).
        """
        found = self._store.certificates.find(fingerprint)
        if found is None:
            raise RefusedError(Reason.CERTIFICATE_UNKNOWN, "nobody has this certificate")
        if found.revoked is not None or found.account_revoked is not None:
            raise RefusedError(Reason.CERTIFICATE_REVOKED, f"certificate {found.id} was revoked")
        if found.expires <= self._clock():
            raise RefusedError(Reason.CERTIFICATE_EXPIRED, f"certificate {found.id} has expired")
        return Identity(None, Role(found.role), found.account, found.expires, found.id)

    def revoke(self, number: int) -> None:
        """Refuse a certificate from now on; OperatorError if there is none with this number."""
        if not self._store.certificates.revoke(number, self._clock()):
            raise OperatorError(f"there is no certificate {number}: see `tpsi-server certificate list`")
        _log.info("certificate %d was revoked", number)


def fingerprint_of(certificate: x509.Certificate) -> bytes:
    """The SHA-256 of a certificate's DER, as every tool shows it."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
