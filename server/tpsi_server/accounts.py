"""Accounts and tokens: who may talk to the server, and as what."""

import base64
import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tpsi import Rng, Secret
from tpsi.errors import CallerError
from tpsi.voucher import encode_account
from tpsi_server.errors import OperatorError, RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.store import Store

#: A token is this prefix, which tools that search for leaked secrets can know, and 43 characters of base64url.
PREFIX = "tpsi_"
TOKEN_SIZE = 32
TOKEN_LENGTH = len(PREFIX) + 43
#: Times beyond it fit no calendar.
MAX_LIFETIME = 100 * 365.25 * 86_400

_DIGEST_LABEL = b"tpsi-server-token"
_log = logging.getLogger(__name__)


class Role(StrEnum):
    """What the bearer of a token may do."""

    DEVICE = "device"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token or certificate stands for, and until when.

    `account` is the account's name for a device, None for every other role; `token_id` or `certificate_id` names what
    was shown.
    """

    token_id: int | None
    role: Role
    account: str | None
    expires: float | None = None
    certificate_id: int | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; the store keeps only its digest, so this is the one time that it can be read."""

    token_id: int
    token: Secret
    role: Role
    account: str | None
    expires: float | None


class Accounts:
    """Creates accounts, issues and revokes tokens, and tells whom a token stands for."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time, rng: Rng = secrets.token_bytes) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng

    def create(self, name: str) -> None:
        """Add an account of 1 to 64 printable ASCII characters; OperatorError if the name is taken."""
        encode_account(name)
        if not self._store.accounts.add(name, self._clock()):
            raise OperatorError(f"there is an account {name!r} already")
        _log.info("account %r was added", name)

    def issue(self, role: Role, account: str | None = None, *, lifetime: float | None = None) -> IssuedToken:
        """A new token. Devices have an account, other roles none; `lifetime` in seconds.

        Raises OperatorError for an unknown or revoked account, CallerError if role and account do not fit.
        """
        if (role is Role.DEVICE) != (account is not None):
            raise CallerError("a device's token belongs to an account, and no other one does")
        if lifetime is not None and not 0 < lifetime <= MAX_LIFETIME:
            raise CallerError("a token is good for more than no time, and for at most a hundred years")
        now = self._clock()
        expires = None if lifetime is None else now + lifetime
        token = PREFIX + base64.urlsafe_b64encode(self._rng(TOKEN_SIZE)).rstrip(b"=").decode("ascii")
        number = self._store.accounts.add_token(_digest(token), role.value, account, now, expires)
        if number is None:
            raise OperatorError(f"there is no account {account!r}, or it was revoked")
        _log.info("token %d for the role %s was issued", number, role)
        return IssuedToken(number, Secret(token.encode("ascii")), role, account, expires)

    def authenticate(self, token: str | None) -> Identity:
        """Whom a token stands for.

        Raises RefusedError with TOKEN_MISSING, TOKEN_UNKNOWN, TOKEN_EXPIRED or TOKEN_REVOKED (which a token
        of a revoked account is too).
        """
        if not token:
            raise RefusedError(Reason.TOKEN_MISSING, "there is no token")
        well_formed = len(token) == TOKEN_LENGTH and token.isascii()
        found = self._store.accounts.find_token(_digest(token)) if well_formed else None
        if found is None:
            raise RefusedError(Reason.TOKEN_UNKNOWN, "nobody has this token")
        if found.revoked is not None or found.account_revoked is not None:
            raise RefusedError(Reason.TOKEN_REVOKED, f"token {found.id} was revoked")
        if found.expires is not None and found.expires <= self._clock():
            raise RefusedError(Reason.TOKEN_EXPIRED, f"token {found.id} has expired")
        return Identity(found.id, Role(found.role), found.account, found.expires)

    def revoke_account(self, name: str) -> None:
        """Refuse everything from an account from now on; OperatorError if there is none of this name."""
        if not self._store.accounts.revoke(name, self._clock()):
            raise OperatorError(f"there is no account {name!r}: see `tpsi-server account list`")
        _log.info("account %r was revoked", name)

    def revoke_token(self, token_id: int) -> None:
        """Refuse one token from now on; OperatorError if there is none with this number."""
        if not self._store.accounts.revoke_token(token_id, self._clock()):
            raise OperatorError(f"there is no token {token_id}: see `tpsi-server account list --tokens`")
        _log.info("token %d was revoked", token_id)


def _digest(token: str) -> bytes:
    """What the store knows a token by. A token has 256 uniform bits: nothing slower than a hash is needed."""
    return hashlib.sha256(_DIGEST_LABEL + token.encode("ascii")).digest()
