"""Who may call what: one table of roles, and from the header of a call to an identity."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from tpsi_server.accounts import Accounts, Identity, Role
from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.service.limits import MAX_AUTHORIZATION

_SCHEME = "bearer "

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
        "/grpc.health.v1.Health/List",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes the call at hand, as its token said when it began."""

    identity: Identity
    token: str
    method: str
    accounts: Accounts

    def __repr__(self) -> str:
        return f"<Caller {self.identity}>"

    @property
    def account(self) -> str:
        """The account of a device; RefusedError for callers that have none."""
        if self.identity.account is None:
            raise RefusedError(Reason.ROLE_FORBIDDEN, "the caller has no account")
        return self.identity.account

    def check_again(self) -> None:
        """In a long call: RefusedError if the token has expired or was revoked since. Reads the store."""
        admit(self.accounts, self.method, self.token)


#: The caller of the call that the current task serves.
CALLER: ContextVar[Caller] = ContextVar("caller")


def admit(accounts: Accounts, method: str, token: str | None) -> Caller:
    """The caller that a token stands for; RefusedError if there is none, or it may not make this call.

    Reads the store.
    """
    identity = accounts.authenticate(token)
    if token is None or identity.role not in ROLES.get(method, ()):
        raise RefusedError(Reason.ROLE_FORBIDDEN, f"{identity.role} may not call {method}")
    return Caller(identity, token, method, accounts)


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
