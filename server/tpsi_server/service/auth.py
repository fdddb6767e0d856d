"""Who may call what: one table of roles, and from what a call shows to an identity."""

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from tpsi_server.accounts import Accounts, Identity, Role
from tpsi_server.certificates import Certificates
from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.service.limits import MAX_AUTHORIZATION

_SCHEME = "bearer "
#: Where gRPC puts the certificate that a client has shown.
_CERTIFICATE = "x509_pem_cert"

_TABLES = frozenset({Role.DEVICE, Role.OPERATOR, Role.AUDITOR})
_DEVICES = frozenset({Role.DEVICE})
_OVERSEERS = frozenset({Role.OPERATOR, Role.REVIEWER})

#: The roles that may make a call. A call that is not here may be made by nobody.
ROLES: dict[str, frozenset[Role]] = {
    "/tpsi.v1.TableService/GetManifest": _TABLES,
    "/tpsi.v1.TableService/GetTableDigests": _TABLES,
    "/tpsi.v1.TableService/DownloadTable": _TABLES,
    "/tpsi.v1.TableService/GetCanary": _TABLES,
    "/tpsi.v1.VoucherService/WhoAmI": _DEVICES,
    "/tpsi.v1.VoucherService/Upload": _DEVICES,
    "/tpsi.v1.LogService/GetCheckpoint": _TABLES,
    "/tpsi.v1.LogService/GetInclusionProof": _TABLES,
    "/tpsi.v1.LogService/GetConsistencyProof": _TABLES,
    "/tpsi.v1.LogService/GetEntries": _TABLES,
    "/tpsi.v1.LogService/GetNotices": _DEVICES,
    "/tpsi.v1.OperatorService/GetStatus": _OVERSEERS,
    "/tpsi.v1.OperatorService/ListAccounts": _OVERSEERS,
    "/tpsi.v1.OperatorService/GetReveal": _OVERSEERS,
}
#: Calls that need no token: whether the server is up, and what contract it serves.
OPEN = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call shows: a token, the fingerprint of a certificate, or both."""

    token: str | None = None
    fingerprint: bytes | None = None

    def __repr__(self) -> str:
        return "<Credentials>"


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody who may talk to the server."""

    accounts: Accounts
    certificates: Certificates

    def identify(self, credentials: Credentials) -> Identity:
        """Whom credentials stand for; RefusedError if nobody, or if they disagree. Reads the store."""
        if credentials.fingerprint is None:
            return self.accounts.authenticate(credentials.token)
        shown = self.certificates.authenticate(credentials.fingerprint)
        if credentials.token is not None:
            told = self.accounts.authenticate(credentials.token)
            if (told.role, told.account) != (shown.role, shown.account):
                raise RefusedError(Reason.CREDENTIALS_CONFLICT, "token and certificate belong to different callers")
        return shown


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes the call at hand, as its credentials said when it began."""

    identity: Identity
    credentials: Credentials
    method: str
    directory: Directory

    def __repr__(self) -> str:
        return f"<Caller {self.identity}>"

    @property
    def name(self) -> str:
        """What the caller's calls are counted under: its account, or else what it has shown."""
        identity = self.identity
        return f"account {identity.account}" if identity.account else f"{identity.token_id} {identity.certificate_id}"

    @property
    def account(self) -> str:
        """The account of a device; RefusedError for callers that have none."""
        if self.identity.account is None:
            raise RefusedError(Reason.ROLE_FORBIDDEN, "the caller has no account")
        return self.identity.account

    def check_again(self) -> None:
        """In a long call: RefusedError if the credentials have expired or were revoked since. Reads the store."""
        admit(self.directory, self.method, self.credentials)


#: The caller of the call that the current task serves.
CALLER: ContextVar[Caller] = ContextVar("caller")


def admit(directory: Directory, method: str, credentials: Credentials) -> Caller:
    """The caller that credentials stand for; RefusedError if there is none, or it may not make this call.

    Reads the store.
    """
    identity = directory.identify(credentials)
    if identity.role not in ROLES.get(method, ()):
        raise RefusedError(Reason.ROLE_FORBIDDEN, f"{identity.role} may not call {method}")
    return Caller(identity, credentials, method, directory)


def bearer_token(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The token in a call's metadata, None if there is none; RefusedError for more than one, or an impossible one."""
    values = [value for name, value in metadata if name == "authorization"]
    if not values:
        return None
    value = values[0]
    if len(values) > 1 or not isinstance(value, str) or len(value) > MAX_AUTHORIZATION:
        raise RefusedError(Reason.INVALID_REQUEST, "the authorization header is repeated or too long")
    if not value.lower().startswith(_SCHEME):
        return None
    return value[len(_SCHEME) :].strip() or None


def peer_fingerprint(peer: Mapping[str, Iterable[bytes]]) -> bytes | None:
    """The fingerprint of the certificate that a peer has shown in its handshake; None if it has shown none."""
    shown = next(iter(peer.get(_CERTIFICATE, ())), None)
    if shown is None:
        return None
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown.decode("ascii"))).digest()
    except ValueError:
        raise RefusedError(Reason.INVALID_REQUEST, "the certificate cannot be read") from None
